import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

import pytest

from fl_plugin.catalog.serve import open_server, serve
from fl_plugin.catalog.site import build_site
from fl_plugin.errors import StorageError, UsageError


@contextmanager
def running(folder):
    with open_server(folder, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_the_site_is_served_to_this_machine_only(small):
    site = build_site(small.write(), run_dbt=False)
    with (
        running(site.folder) as url,
        urllib.request.urlopen(f"{url}/manifest.json") as answer,  # noqa: S310
    ):
        assert answer.read() == (site.folder / "manifest.json").read_bytes()
        assert answer.headers["Cache-Control"] == "no-cache"
    with open_server(site.folder, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_folders_are_not_listed_and_nothing_above_is_served(small):
    site = build_site(small.write(), run_dbt=False)
    (site.folder / "inside").mkdir()
    with running(site.folder) as url:
        for path in ("/inside/", "/../index.htm", "/%2e%2e/%2e%2e/mesh_policy.yml"):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"{url}{path}")  # noqa: S310
            caught.value.close()
            assert caught.value.code == 404


def test_a_site_that_is_not_built_says_how_to_build_it(tmp_path):
    with pytest.raises(UsageError) as caught:
        serve(tmp_path, 0, print)
    assert "fl catalog build" in caught.value.remedy


def test_a_port_that_is_taken_is_one_line(small):
    site = build_site(small.write(), run_dbt=False)
    with open_server(site.folder, 0) as server:
        port = server.server_address[1]
        with pytest.raises(StorageError, match=f"Port {port}"):
            open_server(site.folder, port)


def test_ctrl_c_is_a_clean_end(small, monkeypatch):
    site = build_site(small.write(), run_dbt=False)
    told: list[str] = []

    def interrupted(self, poll_interval=0.5):
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", interrupted)
    serve(site.folder, 0, told.append)
    assert told[0].startswith("http://127.0.0.1:")
