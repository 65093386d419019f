"""Applies JSON Patches with the library jsonpatch (github.com/stefankoegl/python-json-patch).

Reads a JSON object a line, with the members doc and patch, and writes the patched document, or
{"refused": true}, a line.
"""

import json
import sys

import jsonpatch

for line in sys.stdin:
    case = json.loads(line)
    try:
        out = {"doc": jsonpatch.apply_patch(case["doc"], case["patch"])}
    except Exception:  # the library lets some of Python's own through
        out = {"refused": True}
    print(json.dumps(out, ensure_ascii=False, separators=(",", ":")))
