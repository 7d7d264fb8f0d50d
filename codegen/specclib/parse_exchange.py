"""Parses roles, keys, messages with their shapes, machines and one-way messages."""

from . import ast
from .parse_base import HARMLESS, ParseError, ParserBase, describe
from .parse_layout import merge

PROTECTION = {"": "clear", "*": "encrypted", "?": "either"}
SOURCES = ("action", "icookie", "rcookie", "msgid", "rest", "last_block")
FUNCTIONS = ("prf", "prf_plus", "stretch", "hash", "sign")
COLUMNS = ("state", "recv", "prepare", "action", "send", "next", "timer")


class ExchangeParser(ParserBase):
	def role(self, start, doc):
		names = self.names("a role")
		self.expect(":")
		payload = self.name("a payload")
		got = self.clauses(HARMLESS)
		where = self.condition() if self.take_word("where") else None
		got = merge(got, self.clauses(HARMLESS))
		for n in names:
			self.spec.roles.append(ast.Role(n, payload, where, got, doc, n.loc))

	# ---- keys

	def keys(self, start, doc):
		got = self.clauses()
		inputs, formulas = [], []

		def item():
			if self.at_word("input"):
				inputs.append(self.key_input())
			else:
				formulas.append(self.key_formula())
		self.block(item)
		self.spec.keys.append(ast.Keys(ast.Name("keys", start.loc), got, doc, start.loc,
			self.tokens[self.pos - 1].line, tuple(inputs), tuple(formulas)))

	def key_input(self):
		start = self.next()
		name = self.name("a value")
		self.expect_word("from")
		source = self.expect_word(*SOURCES)
		text, secret = "", False
		while self.at("STRING") or self.at_word("secret"):
			if self.at("STRING"):
				text = self.next().value
			else:
				self.next()
				secret = True
		return ast.KeyInput(name, ast.Name(source.text, source.loc), text, secret, start.doc or "",
			self.span(start))

	def key_formula(self):
		start = self.tok
		name = self.name("a value")
		variants, flags = (), set()
		while not self.at("="):
			if self.at_word("retain", "secret"):
				flags.add(self.next().text)
			elif not variants:
				variants = self.names("a variant, 'retain', 'secret' or '='")
			else:
				self.fail("expected '=', found %s" % describe(self.tok))
		self.expect("=")
		fn = self.expect_word(*FUNCTIONS)
		self.expect("(")
		first = self.terms()
		if self.take(","):
			key, terms = first, self.terms()
		elif fn.text in ("stretch", "sign"):
			key, terms = first, ()
		else:
			key, terms = (), first
		self.expect(")")
		wants_key = fn.text != "hash"
		if wants_key != bool(key):
			raise ParseError("'%s' takes %s key" % (fn.text, "a" if wants_key else "no"), fn.loc,
				hint="write %s(%sa | b)" % (fn.text, "key, " if wants_key else ""))
		text = "%s(%s)" % (fn.text, ", ".join(t for t in (concat(key), concat(terms)) if t))
		clauses = self.clauses(HARMLESS)
		return ast.KeyFormula(name, variants, "retain" in flags, "secret" in flags,
			ast.Name(fn.text, fn.loc), key, terms, text, clauses, start.doc or "", self.span(start))

	def terms(self):
		found = [self.term()]
		while self.take("|"):
			found.append(self.term())
		return tuple(found)

	def term(self):
		return self.num() if self.at("NUM") else self.name("a value or an octet")

	# ---- messages

	def messages(self, start, doc):
		name = self.name()
		self.expect_word("exchange")
		exchange = self.name("an exchange type")
		got = {"msgid": None, "iv": None, "key": None}
		clauses = ast.Clauses()
		while not self.at("{"):
			if self.take_word("msgid"):
				got["msgid"] = self.expect_word("zero", "nonzero", "any").text
			elif self.at_word("iv", "key"):
				word = self.next().text
				got[word] = self.name("a value")
			elif self.at_word(*HARMLESS):
				clauses = merge(clauses, self.clauses(HARMLESS))
			else:
				self.fail("expected 'msgid', 'iv', 'key', 'rfc' or '{', found %s" % describe(self.tok))
		if got["msgid"] is None:
			self.fail("'messages' needs 'msgid zero', 'msgid nonzero' or 'msgid any'")
		tolerate, found = [], []

		def item():
			if self.take_word("tolerate"):
				tolerate.extend(self.names("a payload"))
			else:
				found.append(self.message())
		self.block(item)
		self.spec.messages.append(ast.Messages(name, clauses, doc, start.loc,
			self.tokens[self.pos - 1].line, exchange, got["msgid"], got["iv"], got["key"],
			tuple(tolerate), tuple(found)))

	def message(self):
		start = self.tok
		name = self.name("a message")
		variants = ()
		if not self.at_word("HDR"):
			variants = self.names("a variant or 'HDR'")
		self.expect_word("HDR")
		mark = self.next().kind if self.tok.kind in ("*", "?") else ""
		self.expect(",")
		shape = self.shape()
		where, clauses = None, ast.Clauses()
		while True:
			if self.goes_on("where"):
				self.next()
				where = self.condition()
			elif self.goes_on(*HARMLESS):
				clauses = merge(clauses, self.clauses(HARMLESS))
			else:
				break
		return ast.Message(name, variants, PROTECTION[mark], shape, where, clauses, start.doc or "",
			self.span(start))

	def shape(self):
		start, begin = self.tok, self.pos
		groups, rest = [self.group()], False
		while self.take(">"):
			if self.take("..."):
				rest = True
				break
			groups.append(self.group())
		loc = self.span(start)
		return ast.Shape(tuple(groups), rest, spell(self.tokens[begin:self.pos]), loc)

	def group(self):
		items = [self.item()]
		while self.take(","):
			items.append(self.item())
		return tuple(items)

	def item(self):
		start = self.tok
		if self.take("["):
			elements = [self.element()]
			while self.take(">"):
				elements.append(self.element())
			self.expect("]")
			return ast.Item(True, tuple(elements), self.span(start))
		return ast.Item(False, (self.element(),), self.span(start))

	def element(self):
		name = self.name("a payload or a role")
		repeat = self.next().kind if self.tok.kind in ("*", "+") else ""
		return ast.Element(name, repeat)

	# ---- machines

	def machine(self, start, doc):
		name = self.name()
		self.expect_word("messages")
		messages = self.name("the messages")
		self.expect_word("phase")
		phase = self.num("1 or 2")
		if phase.value not in (1, 2):
			raise ParseError("a phase is 1 or 2", phase.loc)
		select, clauses = None, ast.Clauses()
		while not (self.at("{") or self.at("EOF")):
			if self.take_word("selects"):
				select = self.select()
			elif self.at_word(*HARMLESS):
				clauses = merge(clauses, self.clauses(HARMLESS))
			else:
				self.fail("expected 'selects', 'rfc' or '{', found %s" % describe(self.tok))
		parts = {"states": [], "initiates": [], "heading": (), "rows": [], "binds": [], "supplies": []}
		self.block(lambda: self.machine_part(parts, select))
		self.spec.machines.append(ast.Machine(name, clauses, doc, start.loc,
			self.tokens[self.pos - 1].line, messages, phase.value, select, tuple(parts["states"]),
			tuple(parts["initiates"]), parts["heading"], tuple(parts["rows"]),
			tuple(parts["binds"]), tuple(parts["supplies"])))

	def select(self):
		variable = self.name("a variable")
		found, more = [], []
		self.expect("{")
		self.skip_lines()
		while not self.at("}"):
			variant = self.name("a variant")
			symbol = self.name("a symbol") if self.take("=") else None
			found.append((variant, symbol))
			while symbol is not None and self.take("|"):
				more.append((variant, self.name("a symbol")))
			self.take(",")
			self.skip_lines()
		self.expect("}")
		return ast.Select(variable, tuple(found), tuple(more))

	def machine_part(self, parts, select):
		start = self.expect_word("states", "initiate", "transitions", "binds", "supplies")
		if start.text == "states":
			parts["states"] += self.block(self.state)
		elif start.text == "initiate":
			parts["initiates"].append(self.initiate(start))
		elif start.text == "transitions":
			self.transitions(parts, select)
		elif start.text == "binds":
			variable = self.name("a variable")
			self.expect_word("by")
			parts["binds"].append(ast.Binds(variable, self.names("an action, a message or 'peer'"), self.span(start)))
		else:
			values = self.names("a value")
			self.expect_word("by")
			parts["supplies"].append(ast.Supplies(values, self.names("an action"), self.span(start)))

	def state(self):
		start = self.tok
		name = self.name("a state")
		role = self.expect_word("initiator", "responder").text
		flags = set()
		while self.at_word("start", "final", "resend", "over"):
			flags.add(self.next().text)
		number = self.num("the number of the state") if self.take_word("number") else None
		text = self.string("the text of the state")
		return ast.StateDecl(name, role, "start" in flags, "final" in flags, "resend" in flags, "over" in flags,
			number, text, start.doc or "", self.span(start))

	def initiate(self, start):
		action = self.name("an action")
		self.expect_word("send")
		send = self.name("a message")
		self.expect_word("next")
		state = self.name("a state")
		timer = None
		if self.take_word("timer"):
			timer = None if self.take("-") else self.name("a timer")
		return ast.Initiate(action, send, state, timer, self.span(start))

	def transitions(self, parts, select):
		variable = select.variable.text if select else None
		columns = []

		def item():
			if not columns:
				heading = self.heading()
				columns.append(heading)
				self.check_heading(heading, variable)
				return None
			return self.row(columns[0])
		rows = self.block(item)
		if columns:
			parts["heading"] = columns[0]
		parts["rows"] += rows

	def check_heading(self, heading, variable):
		known = COLUMNS + ((variable,) if variable else ())
		for n in heading:
			if n.text not in known:
				raise ParseError("unknown column '%s'" % n.text, n.loc,
					hint="the columns are " + ", ".join(known))
		for needed in ("state", "recv", "action", "next"):
			if needed not in [n.text for n in heading]:
				raise ParseError("the heading has no column '%s'" % needed, heading[0].loc)

	def row(self, heading):
		start = self.tok
		cells = self.table_row(heading)
		got = {}
		for column, cell in zip(heading, cells):
			if column.text in COLUMNS and len(cell) > 1:
				raise ParseError("column '%s' takes one name" % column.text, cell[1].loc)
			for value in cell:
				if not isinstance(value, ast.Name):
					raise ParseError("column '%s' takes names" % column.text, value.loc)
			got[column.text] = cell
		one = {}
		for c in COLUMNS:
			cell = got.pop(c, ())
			one[c] = cell[0] if cell else None
			if c in ("state", "recv", "action", "next") and not cell:
				raise ParseError("column '%s' must not be empty" % c, start.loc)
		variants = next(iter(got.values()), ())
		return ast.Row(variants=variants, doc=start.doc or "", loc=self.span(start), **one)

	def oneway(self, start, doc):
		name = self.name()
		self.expect_word("messages")
		messages = self.name("the messages")
		clauses = self.clauses(HARMLESS)

		def item():
			first = self.tok
			message = self.name("a message")
			self.expect_word("action")
			return ast.OnewayRow(message, self.name("an action"), first.doc or "", self.span(first))
		rows = self.block(item)
		self.spec.oneways.append(ast.Oneway(name, clauses, doc, start.loc, self.tokens[self.pos - 1].line,
			messages, tuple(rows)))


def concat(terms):
	return " | ".join(t.text if isinstance(t, ast.Name) else "0x%02x" % t.value for t in terms)


def spell(tokens):
	"""The text of a shape with one blank at each place where one belongs."""
	text = ""
	for t in tokens:
		if t.kind in (">", "...", "["):
			text += (" " if text and not text.endswith(" ") else "") + t.text + (" " if t.kind == ">" else "")
		elif t.kind == ",":
			text += ", "
		elif t.kind == "WORD" and text and text[-1] not in " [":
			text += " " + t.text
		else:
			text += t.text
	return text.replace("  ", " ")
