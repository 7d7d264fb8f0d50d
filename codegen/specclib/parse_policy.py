"""Parses suites, columns, limits, timers, reasons, protocols, options and forms."""

import re

from . import ast
from .parse_base import HARMLESS, ParseError, ParserBase, describe
from .diag import did_you_mean

DURATION = re.compile(r"([0-9]+)(ms|s|m|h|d)\Z")
HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")
UNITS = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}
OPTION_FLAGS = ("repeat", "end", "required", "hidden")


class PolicyParser(ParserBase):
	def suite(self, start, doc):
		name = self.name()
		self.expect_word("for")
		protocol = self.name("a protocol")
		got = self.clauses()
		columns = []

		def item():
			first = self.tok
			if not columns:
				columns.append(self.heading())
				return None
			if self.at_word("inherit"):
				self.next()
				return ast.Inherit(self.name("a suite"), self.span(first))
			cells = self.table_row(columns[0])
			return ast.SuiteRow(tuple(cells), self.span(first))
		rows = self.block(item)
		self.spec.suites.append(ast.Suite(name, got, doc, start.loc, self.tokens[self.pos - 1].line,
			protocol, columns[0] if columns else (), tuple(rows)))

	def columns(self, start, doc):
		self.expect_word("for")
		protocol = self.name("a protocol")
		got = self.clauses()

		def item():
			column = self.name("a column")
			return column, None if self.take("-") else self.name("an attribute")
		found = self.block(item)
		self.spec.columns.append(ast.Columns(protocol, got, doc, start.loc,
			self.tokens[self.pos - 1].line, tuple(found)))

	def limits(self, start, doc):
		def item():
			first = self.tok
			name = self.name("a limit")
			return ast.Limit(name, self.num().value, first.doc or "", self.span(first))
		self.spec.limits += self.block(item)

	def timers(self, start, doc):
		def item():
			first = self.tok
			name = self.name("a timer")
			times = [self.duration()]
			while self.tok.kind in ("WORD", "NUM"):
				times.append(self.duration())
			return ast.Timer(name, tuple(times), first.doc or "", self.span(first))
		self.spec.timers += self.block(item)

	def duration(self):
		t = self.next()
		m = DURATION.match(t.text)
		if m is None:
			raise ParseError("%s is no duration" % describe(t), t.loc,
				hint="write a number and its unit: 500ms, 4s, 2m, 1h")
		return int(m.group(1)) * UNITS[m.group(2)]

	def vendors(self, start, doc):
		self.spec.vendors += self.block(self.vendor)

	def vendor(self):
		first = self.tok
		name = self.name("a vendor")
		t = self.next()
		if t.kind not in ("WORD", "NUM") or not HEX.match(t.text):
			raise ParseError("%s is no vendor ID" % describe(t), t.loc,
				hint="write its octets in hexadecimal, two digits each")
		prefix = bool(self.take_word("prefix"))
		text = self.next().value if self.at("STRING") else ""
		return ast.Vendor(name, bytes.fromhex(t.text), prefix, text, self.clauses(HARMLESS),
			first.doc or "", self.span(first))

	# ---- reasons

	def reasons(self, start, doc):
		self.spec.reasons += self.block(self.reason)

	def reason(self):
		first = self.tok
		name = self.name("a reason")
		params = []
		if self.take("("):
			while not self.at(")"):
				param = self.name("a parameter")
				params.append(ast.ReasonParam(param, self.name("a type")))
				if not self.take(","):
					break
			self.expect(")")
		named, strings = {}, []
		while self.goes_on("notify", "status") or self.at("STRING"):
			if self.at("STRING"):
				strings.append(self.next())
				continue
			word = self.next().text
			named[word] = None if self.take("-") else self.name("a symbol")
		loc = first.loc
		if not strings:
			self.fail("reason '%s' has no text" % name.text, first)
		on_first = [s for s in strings if s.line == first.line]
		later = [s for s in strings if s.line != first.line] or on_first
		text = on_first[0].value if on_first and later is not on_first else ""
		remedy, remedy_loc = self.remedy()
		return ast.Reason(name, tuple(params), named.get("notify"), named.get("status"), text,
			"".join(s.value for s in later), later[0].loc, remedy, remedy_loc, first.doc or "", loc)

	def remedy(self):
		if not self.goes_on("remedy"):
			return None, None
		self.next()
		loc, text = self.tok.loc, self.string("the text of the remedy")
		while self.at("STRING"):
			text += self.next().value
		return text, loc

	# ---- protocols

	def protocol(self, start, doc):
		name = self.name()
		self.expect_word("version")
		version = self.num().value
		got = self.clauses()
		groups, messages = [], []

		def item():
			first = self.expect_word("message", "group")
			record = self.name("a name")
			number = self.num("the number of the message") if first.text == "message" else None
			text = self.next().value if self.at("STRING") else ""
			loc = self.span(first)
			fields = tuple(self.block(self.protocol_field))
			if number is None:
				groups.append(ast.ProtocolGroup(record, fields, text, first.doc or "", loc))
			else:
				messages.append(ast.ProtocolMessage(record, number, fields, text, first.doc or "", loc))
		self.block(item)
		self.spec.protocols.append(ast.Protocol(name, got, doc, start.loc,
			self.tokens[self.pos - 1].line, version, tuple(groups), tuple(messages)))

	def protocol_field(self):
		first = self.tok
		name = self.name("a field")
		kind = self.name("a type")
		repeated = bool(self.take("["))
		if repeated:
			self.expect("]")
		text = self.next().value if self.at("STRING") else ""
		return ast.ProtocolField(name, kind, repeated, text, first.doc or "", self.span(first))

	# ---- options

	def option(self, start, doc):
		program, forms = self.name("a program"), self.names("a form")
		name = self.glued_name("an option")
		got = {"metavar": None, "type": None, "choices": (), "default": None, "min": None, "max": None,
			"unit": None}
		if self.at("WORD") and self.peek().kind == ":":
			got["metavar"] = self.next().text
			self.next()
			got["type"] = self.name("a type")
			if got["type"].text == "enum":
				self.expect("(")
				got["choices"] = self.names("a choice")
				self.expect(")")
		flags, aliases, text = [], [], None
		while self.tok.kind not in ("NL", "EOF"):
			if self.at("STRING"):
				text = (text or "") + self.next().value
			elif self.at_word("default", "min", "max"):
				word = self.next().text
				got[word] = self.option_value()
			elif self.take_word("unit"):
				got["unit"] = self.string() if self.at("STRING") else self.name().text
			elif self.take_word("alias"):
				aliases.append(self.glued_name("an option"))
			elif self.at_word(*OPTION_FLAGS):
				flags.append(ast.Name(self.tok.text, self.tok.loc))
				self.next()
			else:
				self.unknown_option_word()
		if text is None:
			self.fail("option '%s' has no help text" % name.text, start)
		words = [f.text for f in flags]
		self.spec.options.append(ast.Option(program, forms, name, repeat="repeat" in words,
			end="end" in words, aliases=tuple(aliases), words=tuple(flags), text=text, doc=doc,
			loc=self.span(start), **got))

	def unknown_option_word(self):
		known = OPTION_FLAGS + ("default", "min", "max", "unit", "alias")
		self.fail("unexpected %s in an option" % describe(self.tok),
			hint=did_you_mean(self.tok.text, known))

	def option_value(self):
		t = self.next()
		if t.kind == "STRING":
			return t.value
		if t.kind in ("NL", "EOF"):
			raise ParseError("expected a value, found %s" % describe(t), t.loc)
		text = t.text
		while self.tok.glued and self.tok.kind not in ("NL", "EOF"):
			text += self.next().text
		return t.value if t.kind == "NUM" and text == t.text else text

	def form(self, start, doc):
		program, name = self.name("a program"), self.name("a form")
		text = self.string("the form in one line")
		requires = []
		if self.take_word("requires"):
			while self.at("WORD") or self.at(","):
				if not self.take(","):
					requires.append(self.glued_name("an option"))
		self.spec.forms.append(ast.Form(program, name, text, tuple(requires), doc, self.span(start)))
