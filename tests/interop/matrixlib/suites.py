"""The algorithms that pluto knows, out of the spec, in the words of --ike, --esp and --ah."""

import argparse
import os
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


def model():
	sys.path.insert(0, os.path.join(ROOT, "codegen"))
	from specclib.main import load
	folder = os.path.join(ROOT, "spec")
	files = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".spec")]
	return load(argparse.Namespace(files=files, werror=False))


def words(registry):
	"""One word for each algorithm of a registry; a cipher with several lengths of key has one for each."""
	found = []
	for entry in registry.entries:
		if not entry.words or entry.algorithm is None:
			continue
		word, keys = entry.words[0], entry.algorithm.properties.get("key", [0])
		if entry.algorithm.kind in ("cipher", "aead") and len(keys) > 1:
			for key in keys:
				bits = str(8 * key)
				found.append((word.replace("..", bits) if ".." in word else word + bits, entry.algorithm))
		else:
			found.append((word, entry.algorithm))
	return found


def axes():
	"""The axes that come from the spec, and which ciphers of ESP authenticate by themselves."""
	m = model()

	def attribute(protocol, name):
		table = m.attributes_for[m.registry_value("protocol_id", protocol)]
		return words(table.by_name[name].registry)

	def transforms(protocol):
		switch = m.switches["transform_id"]
		return words(switch.branches[m.registry_value("protocol_id", protocol)])

	def names(found):
		return [word for word, _ in found]
	esp = transforms("ESP")
	groups = names(attribute("ISAKMP", "GROUP_DESCRIPTION"))
	return {
		"cipher": names(attribute("ISAKMP", "ENCRYPTION_ALGORITHM")),
		"hash": names(attribute("ISAKMP", "HASH_ALGORITHM")),
		"group": groups,
		"esp": names(esp) + ["ah"],
		"mac": names(attribute("ESP", "AUTH_ALGORITHM")) + ["-"],
		"pfs": ["none"] + groups,
	}, {word for word, algorithm in esp if algorithm.kind == "aead"}, set(names(transforms("AH")))
