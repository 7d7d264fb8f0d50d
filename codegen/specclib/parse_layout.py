"""Parses registries, bits, structs, payloads, attributes and algorithms."""

from . import ast
from .parse_base import HARMLESS, INTS, ParserBase, describe


class LayoutParser(ParserBase):
	def int_type(self):
		self.expect(":")
		n = self.name("an integer type")
		if n.text not in INTS:
			self.fail("'%s' is no integer type" % n.text, self.tokens[self.pos - 1],
				hint="use u4, u8, u16, u32 or u64")
		return n

	def registry(self, start, doc):
		name, int_type = self.name(), self.int_type()
		switch, values = None, ()
		got = self.clauses()
		if self.take_word("for"):
			switch = self.name("the name of a switch")
			self.expect("[")
			values = self.names("a symbol")
			self.expect("]")
			more = self.clauses()
			got = merge(got, more)
		entries = self.block(self.registry_entry)
		self.spec.registries.append(ast.Registry(name, got, doc, start.loc, self.tokens[self.pos - 1].line,
			int_type, switch, values, tuple(entries)))

	def registry_entry(self):
		start = self.tok
		lo = self.num("a value").value
		hi = self.num().value if self.take("..") else lo
		word = self.name("a symbol, 'reserved' or 'private'")
		kind = word.text if word.text in ("reserved", "private") else "named"
		got = {"text": "", "logged": None, "is_": None, "words": [], "aliases": []}
		clauses = ast.Clauses()
		while self.tok.kind not in ("NL", "}", "EOF"):
			if self.at("STRING"):
				got["text"] = self.next().value
			elif self.take_word("as"):
				got["logged"] = self.string()
			elif self.take_word("is"):
				got["is_"] = self.name("an algorithm")
			elif self.take_word("word"):
				got["words"].append(self.string())
				while self.take(","):
					got["words"].append(self.string())
			elif self.take_word("alias"):
				got["aliases"].append(self.num())
				while self.take(","):
					got["aliases"].append(self.num())
			elif self.at_word(*HARMLESS):
				clauses = merge(clauses, self.clauses(HARMLESS))
			else:
				self.fail("unexpected %s in a registry entry" % describe(self.tok))
		return ast.Entry(lo, hi, kind, word if kind == "named" else None, got["logged"], got["text"],
			got["is_"], tuple(got["words"]), tuple(got["aliases"]), clauses, start.doc or "",
			self.span(start))

	def bits(self, start, doc):
		name, int_type = self.name(), self.int_type()
		got = self.clauses()
		entries = self.block(self.bit_entry)
		self.spec.bits.append(ast.Bits(name, got, doc, start.loc, self.tokens[self.pos - 1].line, int_type,
			tuple(entries)))

	def bit_entry(self):
		start = self.tok
		bit = self.num("the number of a bit").value
		symbol = self.name("a symbol")
		text = self.next().value if self.at("STRING") else ""
		return ast.BitEntry(bit, symbol, text, self.clauses(HARMLESS), start.doc or "", self.span(start))

	# ---- structs

	def struct(self, start, doc):
		kind = start.text
		name = self.name()
		params = []
		if self.take("("):
			while True:
				param = self.name("a parameter")
				self.expect(":")
				params.append(ast.Param(param, self.name("a type")))
				if not self.take(","):
					break
			self.expect(")")
		base = self.name("the base") if self.take(":") else None
		got = self.clauses()
		fields, requires = [], []

		def item():
			if self.at_word("require"):
				requires.append(self.require())
			else:
				fields.append(self.field())
		self.block(item)
		self.spec.structs.append(ast.Struct(name, got, doc, start.loc, self.tokens[self.pos - 1].line, kind,
			tuple(params), base, tuple(fields), tuple(requires)))

	def require(self):
		start = self.next()
		cond = self.condition()
		self.expect("->")
		then = self.condition()
		els = self.name("a notify type") if self.take_word("else") else None
		return ast.Require(cond, then, els, start.doc or "", self.span(start))

	def field(self):
		start = self.tok
		name = self.name("a field")
		kind = self.type()
		constraint = self.constraint()
		lax = chain = False
		els = None
		while self.tok.kind not in ("NL", "}", "EOF"):
			if self.take_word("lax"):
				lax = True
			elif self.take_word("chain"):
				chain = True
			elif self.take_word("else"):
				els = self.name("a notify type")
			elif constraint is None and not lax and not chain and els is None:
				self.fail("expected a constraint, 'lax', 'chain' or 'else', found %s" % describe(self.tok))
			else:
				self.fail("unexpected %s" % describe(self.tok))
		return ast.Field(name, kind, constraint, lax, chain, els, start.doc or "", self.span(start))

	def dim(self):
		start = self.expect("[")
		got = {"size": 0, "field": None, "min": 0, "max": None}
		if self.at("]"):
			kind = "empty"
		elif self.at("WORD"):
			kind, got["field"] = "field", self.name()
		else:
			low = self.next().value if self.at("NUM") else None
			if self.take(".."):
				kind, got["min"] = "range", low or 0
				if self.at("NUM"):
					got["max"] = self.next().value
			elif low is not None:
				kind, got["size"] = "fixed", low
			else:
				self.fail("expected a length, found %s" % describe(self.tok))
		self.expect("]")
		return ast.Dim(kind=kind, loc=self.span(start), **got)

	def type(self):
		start = self.tok
		name = self.name("a type")
		arg = dim = size = None
		kind = name.text
		if kind in INTS:
			kind = "int"
		elif kind in ("bytes", "zero", "uint"):
			dim = self.dim()
			if kind == "bytes" and self.at("["):
				kind, size, dim = "slices", dim, self.dim()
		elif kind == "attribute":
			self.expect("[")
			arg = self.name("a field or a table of attributes")
			self.expect("]")
			dim = self.dim()
		else:
			kind = "named"
			if self.take("("):
				arg = self.name("a field")
				self.expect(")")
				dim = self.dim()
			elif self.at("["):
				dim = self.dim()
		return ast.Type(kind, name, arg, dim, size, self.span(start))

	def constraint(self):
		start = self.tok
		if self.take("="):
			kind, values = self.equal_to()
		elif self.take_word("nonzero"):
			kind, values = "nonzero", []
		elif self.at("NUM") and self.peek().kind == "..":
			low = self.num()
			self.next()
			kind, values = "range", [low, self.num()]
		elif self.at("NUM") or (self.at("WORD") and self.tok.text not in ("lax", "chain", "else")):
			kind, values = "oneof", [self.value()]
			while self.take("|"):
				values.append(self.value())
		else:
			return None
		return ast.Constraint(kind, tuple(values), self.span(start))

	def value(self):
		return self.num() if self.at("NUM") else self.name("a number or a symbol")

	def equal_to(self):
		if self.take("{"):
			values = [self.name("a bit")]
			while self.take(",") or self.at("WORD"):
				values.append(self.name("a bit"))
			self.expect("}")
			return "bits", values
		if self.at_word("size", "count") and self.peek().kind == "(":
			fn = self.next().text
			self.expect("(")
			arg = self.name("'self', 'message' or a field")
			self.expect(")")
			if fn == "count":
				return "count", [arg]
			if arg.text not in ("self", "message"):
				self.fail("size() takes 'self' or 'message'", self.tokens[self.pos - 2])
			return "size_" + arg.text, []
		return "const", [self.value()]

	# ---- attributes and algorithms

	def attributes(self, start, doc):
		name = self.name()
		protocols = self.names("a protocol") if self.take_word("for") else ()
		got = self.clauses()
		entries = self.block(self.attribute_entry)
		self.spec.attributes.append(ast.Attributes(name, got, doc, start.loc, self.tokens[self.pos - 1].line,
			protocols, tuple(entries)))

	def attribute_entry(self):
		start = self.tok
		number = self.num("the number of an attribute")
		name = self.name("an attribute")
		basic = self.expect_word("basic", "variable").text == "basic"
		kind = self.type()
		after, tlv, repeat, step, text, clauses = None, False, False, None, "", ast.Clauses()
		while self.tok.kind not in ("NL", "}", "EOF"):
			if self.take_word("after"):
				after = self.name("an attribute")
			elif self.take_word("tlv"):
				tlv = True
			elif self.take_word("repeat"):
				repeat = True
			elif self.take_word("step"):
				step = self.num("a number of octets")
			elif self.at("STRING"):
				text = self.next().value
			elif self.at_word(*HARMLESS):
				clauses = merge(clauses, self.clauses(HARMLESS))
			else:
				self.fail("unexpected %s in an attribute" % describe(self.tok))
		return ast.AttributeEntry(number, name, basic, kind, tlv, repeat, step, after, text, clauses,
			start.doc or "", self.span(start))

	def algorithm(self, start, doc):
		name, kind = self.name(), self.name("the kind of algorithm")
		got = self.clauses()

		def item():
			prop = self.name("a property")
			values = []
			while self.tok.kind in ("NUM", "WORD"):
				values.append(self.value())
			if not values:
				self.fail("property '%s' has no value" % prop.text)
			return prop, tuple(values)
		properties = self.block(item)
		self.spec.algorithms.append(ast.Algorithm(name, got, doc, start.loc, self.tokens[self.pos - 1].line,
			kind, tuple(properties)))


def merge(a, b):
	"""Both clauses together."""
	return ast.Clauses(a.rfc + b.rfc, a.ref + b.ref, b.else_ or a.else_, b.prefix or a.prefix,
		a.open or b.open, a.closed or b.closed, a.nested or b.nested,
		a.secret or b.secret, a.allow + b.allow)


