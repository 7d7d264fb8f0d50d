"""What all parts of the parser share: tokens, errors and recovery, blocks, clauses, conditions, rows."""

from . import ast
from .ast import Loc, Name, Num
from .diag import did_you_mean

SECTION_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
HARMLESS = ("rfc", "ref", "allow")
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
INTS = {"u4": 4, "u8": 8, "u16": 16, "u32": 32, "u64": 64}


class ParseError(Exception):
	def __init__(self, message, loc, code="syntax", **more):
		super().__init__(message)
		self.message = message
		self.loc = loc
		self.code = code
		self.more = more


def describe(t):
	if t.kind == "NL":
		return "the end of the line"
	if t.kind == "EOF":
		return "the end of the file"
	return "'%s'" % t.text


class ParserBase:
	def __init__(self, tokens, spec, diags):
		self.tokens = tokens
		self.pos = 0
		self.spec = spec
		self.diags = diags

	# ---- tokens

	@property
	def tok(self):
		return self.tokens[self.pos]

	def peek(self, n=1):
		return self.tokens[min(self.pos + n, len(self.tokens) - 1)]

	def next(self):
		t = self.tokens[self.pos]
		if t.kind != "EOF":
			self.pos += 1
		return t

	def fail(self, message, tok=None, **more):
		raise ParseError(message, (tok or self.tok).loc, **more)

	def at(self, kind):
		return self.tok.kind == kind

	def at_word(self, *words):
		return self.tok.kind == "WORD" and self.tok.text in words

	def take(self, kind):
		if self.tok.kind == kind:
			return self.next()
		return None

	def take_word(self, *words):
		if self.at_word(*words):
			return self.next()
		return None

	def goes_on(self, *words):
		"""At one of words, here or at the start of the next line, which then continues this one."""
		if self.at("NL") and self.peek().kind == "WORD" and self.peek().text in words:
			self.next()
		return self.at_word(*words)

	def expect(self, kind, what=None):
		if self.tok.kind != kind:
			self.fail("expected %s, found %s" % (what or "'%s'" % kind, describe(self.tok)))
		return self.next()

	def expect_word(self, *words):
		if not self.at_word(*words):
			hint = did_you_mean(self.tok.text, words) if self.at("WORD") else None
			self.fail("expected %s, found %s" % (" or ".join("'%s'" % w for w in words),
				describe(self.tok)), hint=hint)
		return self.next()

	def name(self, what="a name"):
		t = self.expect("WORD", what)
		return Name(t.text, t.loc)

	def num(self, what="a number"):
		t = self.expect("NUM", what)
		return Num(t.value, t.loc)

	def string(self, what="a string"):
		return self.expect("STRING", what).value

	def names(self, what="a name"):
		"""NAME {, NAME}"""
		found = [self.name(what)]
		while self.take(","):
			found.append(self.name(what))
		return tuple(found)

	def glued_name(self, what="a name"):
		"""A name that may contain '-'."""
		first = self.expect("WORD", what)
		text, end = first.text, first
		while self.tok.glued and self.tok.kind in ("-", "WORD", "NUM"):
			end = self.next()
			text += end.text
		length = end.col + end.length - first.col
		return Name(text, Loc(first.file, first.line, first.col, length))

	def span(self, first):
		"""From the token `first` to the last one read, as far as they share a line."""
		last = self.tokens[self.pos - 1]
		length = last.col + last.length - first.col if last.line == first.line else first.length
		return Loc(first.file, first.line, first.col, max(1, length))

	def skip_lines(self):
		while self.tok.kind == "NL":
			self.next()

	# ---- blocks and recovery

	def report(self, e):
		self.diags.error(e.code, e.message, e.loc, **e.more)

	def skip_to_line_end(self):
		depth = 0
		while self.tok.kind != "EOF":
			if self.tok.kind == "{":
				depth += 1
			elif self.tok.kind == "}":
				if depth == 0:
					return
				depth -= 1
			elif self.tok.kind == "NL" and depth == 0:
				return
			elif self.tok.col == 1 and self.tok.kind == "WORD":
				return
			self.next()

	def block(self, item):
		"""{ item NL item ... }, recovering at the line ends.  Returns what item() returned, without None."""
		opened = self.expect("{")
		found = []
		while True:
			self.skip_lines()
			if self.take("}"):
				return found
			if self.at("EOF") or (self.tok.col == 1 and self.tok.line > opened.line):
				raise ParseError("missing '}' before %s" % describe(self.tok), self.tok.loc,
					notes=[("the block begins here", opened.loc)])
			try:
				value = item()
				if value is not None:
					found.append(value)
				self.end_of_line()
			except ParseError as e:
				self.report(e)
				self.skip_to_line_end()

	def end_of_line(self):
		if self.tok.kind not in ("NL", "}", "EOF"):
			self.fail("unexpected %s" % describe(self.tok))

	# ---- clauses

	def citation(self):
		start = self.next()	# rfc
		number = self.num("the number of the RFC")
		sections = []
		while self.tok.kind == "NUM" or (self.tok.kind == "WORD" and self.tok.text in SECTION_LETTERS):
			section = self.next().text
			while self.tok.glued and self.tok.kind in (".", "NUM", "WORD"):
				section += self.next().text
			sections.append(section)
		return ast.Rfc(number.value, tuple(sections), self.span(start))

	def clauses(self, only=None):
		got = {"rfc": [], "ref": [], "allow": []}
		while self.tok.kind == "WORD" and (only is None or self.tok.text in only):
			word = self.tok.text
			if word == "rfc":
				got["rfc"].append(self.citation())
			elif word == "ref":
				self.next()
				got["ref"].append(self.string())
			elif word == "allow":
				self.next()
				got["allow"].append(self.glued_name("the code of a warning"))
			elif word == "else":
				self.next()
				got["else_"] = self.name("a notify type")
			elif word == "prefix":
				self.next()
				got["prefix"] = self.name("a prefix")
			elif word in ("open", "closed", "nested", "secret"):
				self.next()
				got[word] = True
			else:
				break
		for key in ("rfc", "ref", "allow"):
			got[key] = tuple(got[key])
		return ast.Clauses(**got)

	# ---- conditions

	def condition(self):
		start = self.tok
		items = [self.comparison()]
		while self.take_word("and"):
			items.append(self.comparison())
		return items[0] if len(items) == 1 else ast.And(tuple(items), self.span(start))

	def comparison(self):
		start = self.tok
		left = self.operand()
		if self.tok.kind in COMPARISONS:
			op = self.next().kind
			return ast.Compare(op, left, self.operand(), self.span(start))
		if self.take_word("in"):
			return ast.In(left, self.choices(), self.span(start))
		if isinstance(left, ast.Call):
			return left
		self.fail("expected a comparison or 'in', found %s" % describe(self.tok))

	def choices(self):
		found = []
		if self.take("{"):
			while True:
				found.append(self.operand())
				if not self.take(","):
					break
			self.expect("}")
			return tuple(found)
		found.append(self.operand())
		while self.take("|"):
			found.append(self.operand())
		return tuple(found)

	def operand(self):
		start = self.tok
		if self.at("NUM"):
			return ast.Literal(self.next().value, start.loc)
		if self.take("("):
			items = [self.operand()]
			while self.take(","):
				items.append(self.operand())
			self.expect(")")
			return ast.TupleExpr(tuple(items), self.span(start))
		first = self.name("a number, a symbol, a field or a function")
		if self.take("("):
			args = [self.operand()]
			while self.take(","):
				args.append(self.operand())
			self.expect(")")
			return ast.Call(first, tuple(args), self.span(start))
		names = [first]
		while self.at(".") and self.tok.glued:
			self.next()
			names.append(self.name("a field"))
		return ast.Path(tuple(names), self.span(start))

	# ---- tables: a heading, then rows of the same number of cells

	def cell(self):
		"""'-' is (); a list a,b or a x b is its members."""
		if self.take("-"):
			return ()
		found = [self.cell_value()]
		while True:
			if self.take(","):
				found.append(self.cell_value())
			elif self.at_word("x") and self.peek().kind in ("WORD", "NUM"):
				self.next()
				found.append(self.cell_value())
			else:
				return tuple(found)

	def cell_value(self):
		if self.at("NUM"):
			return self.num()
		return self.name("a cell")

	def cells(self):
		found = []
		while self.tok.kind not in ("NL", "}", "EOF"):
			found.append(self.cell())
		return found

	def table_row(self, heading):
		start = self.tok
		cells = self.cells()
		if len(cells) != len(heading):
			raise ParseError("row has %d cells, the heading has %d" % (len(cells), len(heading)),
				self.span(start), notes=[("the heading", heading[0].loc)])
		return cells

	def heading(self):
		found = []
		while self.tok.kind == "WORD":
			found.append(self.name())
		if not found:
			self.fail("expected a heading, found %s" % describe(self.tok))
		return tuple(found)
