"""Is the answer of whack --status --json, on standard input, what the schema allows?  status_check.py SCHEMA [EXPRESSION...]

Members that the schema does not name are errors here: the schema is for readers, who must pass over them, but pluto
writes only what is described.  Each EXPRESSION is Python about `status`, and must be true."""

import json
import sys

try:
	import jsonschema
except ImportError:
	print("SKIP: python3-jsonschema is not installed")
	sys.exit(77)


def strict(node, top=True):
	"""The same schema without room for more; the alternatives of an SA check a part of it each."""
	if isinstance(node, dict):
		if node.get("additionalProperties") is True:
			node["additionalProperties"] = False
		for child in node.values():
			strict(child, False)
	elif isinstance(node, list):
		for child in node:
			strict(child, False)
	return node


with open(sys.argv[1], encoding="ascii") as file:
	schema = strict(json.load(file))
validator = jsonschema.Draft7Validator(schema)
validator.check_schema(schema)
status = json.load(sys.stdin)
bad = 0
for error in validator.iter_errors(status):
	print("/".join(map(str, error.absolute_path)) or "(top)", error.message[:300])
	bad = 1
known = {"sa": set()}
for name in ("sa", "negotiating", "established", "isakmp", "ipsec"):
	known["sa"] |= set(schema["definitions"][name]["properties"])
connection = {c["name"]: c for c in status["connections"]}
for c in status["connections"]:
	for sa in c["sas"]:
		if set(sa) - known["sa"]:
			print(c["name"], "not in the schema:", set(sa) - known["sa"])
			bad = 1
for text in sys.argv[2:]:
	if not eval(text, {"status": status, "connection": connection}):
		print("not so:", text)
		bad = 1
sys.exit(bad)
