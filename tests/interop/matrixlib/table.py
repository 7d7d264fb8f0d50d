"""What came out, as JSON and as tables of markdown."""

import json

AXES = ("peer", "role", "auth", "cipher", "hash", "group", "esp", "mac", "pfs", "mode", "natt", "kernel")


def name(case):
	ike = "-".join((case["cipher"], case["hash"], case["group"]))
	ipsec = case["esp"] if case["mac"] == "-" else case["esp"] + "-" + case["mac"]
	return " ".join((case["peer"], case["role"], case["auth"], ike, ipsec, "pfs=" + case["pfs"], case["mode"], case["natt"], case["kernel"]))


def cells(results):
	rows = ["| " + " | ".join(AXES) + " | result |", "|" + "---|" * (len(AXES) + 1)]
	for result in results:
		said = {"passed": "passed, %.1f s" % result.get("seconds", 0)}.get(result["result"], "**%s**" % result["result"])
		if result.get("reason"):
			said += ": " + result["reason"].replace("|", "\\|").replace("\n", " ")
		rows.append("| " + " | ".join(str(result["case"].get(axis, "any")) for axis in AXES) + " | " + said + " |")
	return rows


def summary(results):
	rows = ["| peer | passed | failed | not supported |", "|---|---|---|---|"]
	for peer in dict.fromkeys(r["case"]["peer"] for r in results):
		of = [r["result"] for r in results if r["case"]["peer"] == peer]
		rows.append("| %s | %d | %d | %d |" % (peer, of.count("passed"), of.count("failed"), of.count("not supported")))
	return rows


def write(path, results, versions):
	"""path.json and path.md"""
	with open(path + ".json", "w", encoding="utf-8") as f:
		json.dump({"versions": versions, "results": results}, f, indent=1)
		f.write("\n")
	lines = ["# pluto and its peers", "", *("* %s: %s" % item for item in versions.items()), "", *summary(results)]
	failed = [r for r in results if r["result"] == "failed"]
	if failed:
		lines += ["", "## Failed", "", *cells(failed)]
	lines += ["", "## All", "", *cells(results)]
	with open(path + ".md", "w", encoding="utf-8") as f:
		f.write("\n".join(lines) + "\n")
