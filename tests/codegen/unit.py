"""unit.py -- tests of the compiler from within: shapes against an independent oracle, the model of the real spec."""

import glob
import itertools
import os
import random
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "codegen"))

from specclib import shapes
from specclib.checks.run import check
from specclib.diag import CODES, Diagnostics
from specclib.explain import EXPLAIN
from specclib.fmt import format_text
from specclib.lexer import scan
from specclib.parser import DECLARATIONS, parse

LONGEST = 5


def load(text, name="test.spec"):
	diags = Diagnostics({})
	spec = parse([(name, text)], diags)
	if diags.failed():
		raise AssertionError(diags.text())
	return spec


def shape_of(text):
	spec = load("messages m  exchange X  msgid zero {\n    M1  HDR, %s\n}\n" % text)
	return spec.messages[0].messages[0].shape


def language(shape, payload_of, tolerated):
	"""Every sequence of at most LONGEST payloads that a shape allows, by writing all of them out: the groups
	in order, the blocks of a group in every order, tolerated payloads put between the blocks of the last."""
	groups = list(shape.groups) + ([()] if shape.rest else [])
	sequences = {()}
	for number, group in enumerate(groups):
		last = number == len(groups) - 1
		options = set()
		for choice in itertools.product(*[item_blocks(item, payload_of) for item in group]):
			blocks = [b for some in choice for b in some]
			if sum(map(len, blocks)) <= LONGEST:
				for order in set(itertools.permutations(blocks)):
					options |= with_tolerated(order, tolerated if last else ())
		sequences = {a + b for a in sequences for b in options if len(a + b) <= LONGEST}
	return sequences


def item_blocks(item, payload_of):
	"""The choices of an item, each a list of blocks: payloads that nothing may come between."""
	elements = [(payload_of[e.name.text], e.repeat) for e in item.elements]
	if not item.optional:
		payload, repeat = elements[0]
		low, high = {"": (1, 1), "*": (0, LONGEST), "+": (1, LONGEST)}[repeat]
		return [[(payload,)] * n for n in range(low, high + 1)]
	ways = [()]
	for payload, repeat in elements:
		low, high = {"": (1, 1), "*": (0, LONGEST), "+": (1, LONGEST)}[repeat]
		ways = [w + (payload,) * n for w in ways for n in range(low, high + 1) if len(w) + n <= LONGEST]
	return [[]] + [[w] for w in ways if w]


def with_tolerated(order, tolerated):
	found = {()}
	fillers = [f for n in range(LONGEST + 1) for f in itertools.product(tolerated, repeat=n)] \
		if tolerated else [()]
	for block in list(order) + [None]:
		found = {f + filler + (block or ()) for f in found for filler in fillers
			if len(f) + len(filler) + len(block or ()) <= LONGEST}
	return found


class Shapes(unittest.TestCase):
	CASES = (
		("SA > ...", ("V",)),
		("SA > KE, Ni", ("V",)),
		("KE, Ni, [D > D+]", ("V",)),
		("KE, Ni", ()),
		("HASH > SA+ > Ni, [IDci > IDcr], [OA > OA]", ("V",)),
		("HASH > N*, DEL*", ("V",)),
		("IDci, CERT*, SIG", ("V", "N")),
		("[KE], Ni+", ()),
		("A > B > C, D", ("V",)),
		("A* > B*", ("V",)),
		("A+, B*", ("V",)),
		("[A > B* > C], D", ("V",)),
		("N+", ()),
	)
	PAYLOADS = {"IDci": "ID", "IDcr": "ID", "Ni": "NONCE"}

	def test_against_oracle(self):
		compared = accepted = 0
		for text, tolerated in self.CASES:
			shape = shape_of(text)
			names = {e.name.text for g in shape.groups for i in g for e in i.elements}
			payload_of = {n: self.PAYLOADS.get(n, n) for n in names}
			dfa = shapes.build(shape, payload_of, tolerated)
			wanted = language(shape, payload_of, tolerated)
			alphabet = sorted(set(payload_of.values()) | set(tolerated))
			longest = LONGEST if len(alphabet) <= 5 else LONGEST - 1
			for n in range(longest + 1):
				for sequence in itertools.product(alphabet, repeat=n):
					got = dfa.run(sequence) is not None
					if got != (sequence in wanted):
						self.fail("%s: %s is %s" % (text, " ".join(sequence), "accepted" if got else "refused"))
					compared += 1
					accepted += got
		self.assertGreater(accepted, 500)
		self.assertGreater(compared, 15000)

	def test_slots(self):
		shape = shape_of("HASH > SA > Ni, [IDci > IDcr]")
		payload_of = {"HASH": "HASH", "SA": "SA", "Ni": "NONCE", "IDci": "ID", "IDcr": "ID"}
		dfa = shapes.build(shape, payload_of, ["V"])
		self.assertEqual(dfa.run(["HASH", "SA", "ID", "ID", "V", "NONCE"]),
			["HASH", "SA", "IDci", "IDcr", shapes.TOLERATED, "Ni"])
		self.assertIsNone(dfa.run(["V", "HASH", "SA", "NONCE"]))
		self.assertIsNone(dfa.run(["HASH", "SA", "V", "ID", "V", "ID", "NONCE"]))
		self.assertEqual(sorted(dfa.expected(dfa.next[dfa.next[1][0]][1])), ["IDci", "Ni"])

	def test_listed_before_tolerated(self):
		dfa = shapes.build(shape_of("A, B"), {"A": "A", "B": "B"}, ["A"])
		self.assertEqual(dfa.run(["A", "A", "B"]), ["A", shapes.TOLERATED, "B"])

	def test_ambiguous(self):
		with self.assertRaises(shapes.Ambiguous) as caught:
			shapes.build(shape_of("SA > IDci, IDcr"), {"SA": "SA", "IDci": "ID", "IDcr": "ID"}, [])
		self.assertEqual(caught.exception.prefix, ("SA",))

	def test_minimal(self):
		dfa = shapes.build(shape_of("A*, B*"), {"A": "A", "B": "B"}, [])
		self.assertEqual(len(dfa.accept), 2)


class Model(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		diags = Diagnostics({})
		files = sorted(glob.glob(os.path.join(ROOT, "spec", "*.spec")))
		pairs = []
		for f in files:
			with open(f, encoding="utf-8") as handle:
				pairs.append((os.path.relpath(f, ROOT), handle.read()))
		cls.model = check(parse(pairs, diags), diags)
		if cls.model is None:
			raise AssertionError(diags.text())

	def test_header(self):
		header = self.model.structs["header"]
		self.assertEqual(header.min_size, 28)
		self.assertEqual([(f.name, f.offset // 8) for f in header.fields],
			[("icookie", 0), ("rcookie", 8), ("np", 16), ("major", 17), ("minor", 17), ("xchg", 18),
			("flags", 19), ("msgid", 20), ("length", 24)])

	def test_payloads(self):
		numbers = {p.name: p.number for p in self.model.payloads.values()}
		self.assertEqual(numbers, {"SA": 1, "P": 2, "T": 3, "KE": 4, "ID": 5, "CERT": 6, "CR": 7, "HASH": 8,
			"SIG": 9, "NONCE": 10, "N": 11, "D": 12, "VID": 13, "ATTR": 14, "NATD": 20, "NATOA": 21, "FRAGMENT": 132})
		p = self.model.payloads["P"]
		self.assertTrue(p.nested)
		self.assertEqual([f.name for f in p.fields if f.derived],
			["np", "reserved", "length", "spi_size", "n_transforms"])
		self.assertEqual(p.field("spi_size").sizes, ("spi",))
		self.assertEqual(p.min_size, 4 + 4 + 8)
		self.assertEqual(self.model.payloads["NONCE"].notify.value, 16)

	def test_numbers(self):
		value = self.model.registry_value
		for registry, symbol, number in (("notify_type", "NO_PROPOSAL_CHOSEN", 14),
				("notify_type", "UNEQUAL_PAYLOAD_LENGTHS", 30), ("notify_type", "INITIAL_CONTACT", 24578),
				("notify_type", "R_U_THERE", 36136), ("oakley_encryption", "AES_CBC", 7),
				("oakley_group", "MODP2048", 14), ("esp_transform", "AES_GCM_16", 20),
				("auth_algorithm", "HMAC_SHA2_256", 5), ("encapsulation_mode", "UDP_TUNNEL", 3),
				("exchange_type", "QUICK", 32), ("id_type", "KEY_ID", 11), ("auth_method", "RSA_SIG", 3)):
			self.assertEqual(value(registry, symbol), number)

	def test_algorithms_are_used(self):
		used = {e.algorithm.name for r in self.model.registries.values() for e in r.entries if e.algorithm}
		used |= {a.get("hash").name for a in self.model.algorithms.values() if a.kind == "mac"}
		self.assertEqual(sorted(set(self.model.algorithms) - used), [])

	def test_words_are_unique_names(self):
		for r in self.model.registries.values():
			for e in r.entries:
				if e.algorithm is not None:
					self.assertTrue(e.words, "%s of %s has no word" % (e.symbol, r.name))

	def test_rfc_tags_exist(self):
		"""A citation names a section in the form that RFCs number them."""
		for d in self.model.spec.registries + self.model.spec.structs + self.model.spec.messages:
			for r in d.clauses.rfc:
				self.assertTrue(r.sections, "%s cites no section of RFC %d" % (d.name, r.number))


class Mutations(unittest.TestCase):
	"""Spec text with tokens lost, doubled or exchanged: an answer each time, no exception, no endless loop."""

	ROUNDS = 400

	def test_mutations(self):
		rng = random.Random(20)
		texts = []
		for name in ("00-base.spec", "good/variants.spec", "good/layout.spec", "good/policy.spec"):
			with open(os.path.join(HERE, name), encoding="utf-8") as f:
				texts.append((name, f.read()))
		signal.alarm(120)
		refused = 0
		for _ in range(self.ROUNDS):
			files = texts[:1] + [rng.choice(texts[1:])]
			n = rng.randrange(2)
			files[n] = (files[n][0], self.mutate(files[n][1], rng))
			diags = Diagnostics({})
			spec = parse(files, diags)
			readable = not diags.failed()
			refused += check(spec, diags) is None
			diags.text()
			if readable:
				once = format_text(files[n][1])
				self.assertEqual(format_text(once), once)
		signal.alarm(0)
		self.assertGreater(refused, self.ROUNDS // 2)

	@staticmethod
	def mutate(text, rng):
		pieces = [p for _, p, _, _ in scan(text, "")]
		for _ in range(rng.choice((1, 1, 2, 5))):
			i, j = rng.randrange(len(pieces)), rng.randrange(len(pieces))
			way = rng.randrange(4)
			if way == 0:
				del pieces[i]
			elif way == 1:
				pieces[i] = pieces[j]
			elif way == 2:
				pieces.insert(i, pieces[j])
			else:
				pieces[i], pieces[j] = pieces[j], pieces[i]
		return "".join(pieces)


class Manual(unittest.TestCase):
	def test_examples_parse(self):
		"""The examples of the manual follow the grammar; '...' stands for what is left out."""
		with open(os.path.join(ROOT, "spec", "README.md"), encoding="utf-8") as f:
			blocks, lines = [], []
			for line in f:
				if line.startswith("    ") or (not line.strip() and lines):
					lines.append(line[4:] if line.strip() else "\n")
				elif lines:
					blocks.append("".join(lines))
					lines = []
		examples = [b for b in blocks if b.split()[0] in DECLARATIONS]
		self.assertGreater(len(examples), 15)
		for text in examples:
			text = text.replace("{ ... }", "{ }").replace("\n        ...\n", "\n")
			load("".join(l + "\n" for l in text.split("\n") if l.strip() != "..."))

	def test_codes_listed(self):
		with open(os.path.join(ROOT, "spec", "README.md"), encoding="utf-8") as f:
			text = f.read()
		for code, phase in CODES.items():
			self.assertIn("| `%s` | %s |" % (code, phase), text)


class Codes(unittest.TestCase):
	def test_explained(self):
		self.assertEqual(sorted(CODES), sorted(EXPLAIN))


if __name__ == "__main__":
	unittest.main(verbosity=0)
