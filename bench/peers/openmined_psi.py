"""openmined-psi: two parties, elliptic curves, Google's C++ library.

Its client learns which of its keys the server has; the server learns nothing, and there
is nobody between. `python bench/peers/openmined_psi.py KEYS` prints one JSON object.
"""

import json
import sys
import time

import private_set_intersection.python as psi  # type: ignore[import-not-found]

FALSE_POSITIVES = 1e-9  # not used where the server's whole list is sent


def main() -> None:
    """Match as many keys as the first argument says, half of them shared."""
    count = int(sys.argv[1])
    server_keys = [f"id-{i * 7919:020d}" for i in range(count)]
    client_keys = [f"id-{(i + count // 2) * 7919:020d}" for i in range(count)]
    begun = time.process_time()
    tell_which = True  # not only how many
    server = psi.server.CreateWithNewKey(tell_which)
    client = psi.client.CreateWithNewKey(tell_which)
    setup = server.CreateSetupMessage(
        FALSE_POSITIVES, count, server_keys, psi.DataStructure.RAW
    )
    request = client.CreateRequest(client_keys)
    response = server.ProcessRequest(request)
    found = client.GetIntersection(setup, response)
    told = {
        "seconds": time.process_time() - begun,
        "megabytes": sum(m.ByteSize() for m in (setup, request, response)) / 1e6,
        "matches": len(found),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
