"""What a run computes, it computes with one thread: its bytes are no machine's."""

from threadpoolctl import threadpool_info, threadpool_limits

from fl_plugin import Mesh
from tests.made_mesh import STUDY, make_mesh
from tests.small_mesh import FIVE, small


def threads():
    return {library["num_threads"] for library in threadpool_info()}


def test_a_run_computes_with_one_thread_and_gives_the_others_back(tmp_path):
    mesh = Mesh.open(make_mesh(tmp_path / "mesh", small(FIVE[:3])))
    seen = []
    with threadpool_limits(2):
        before = threads()
        mesh.train(STUDY, listener=lambda *_: seen.append(threads()))
        assert threads() == before
    assert max(before) > 1
    # The first is told before an engine is there.
    assert len(seen) > len(FIVE)
    assert all(found == {1} for found in seen[1:])
