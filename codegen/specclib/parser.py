"""Reads spec files into an ast.Spec.  Recovers at the next line in a block, else at column 1."""

from . import ast
from .diag import did_you_mean
from .lexer import tokenize
from .parse_base import ParseError, describe
from .parse_exchange import ExchangeParser
from .parse_layout import LayoutParser
from .parse_policy import PolicyParser

DECLARATIONS = ("registry", "bits", "struct", "payload", "attributes", "algorithm", "role", "keys", "messages",
	"machine", "oneway", "suite", "columns", "limits", "timers", "reasons", "protocol", "option", "form",
	"vendors")


class Parser(LayoutParser, ExchangeParser, PolicyParser):
	def file(self):
		while True:
			self.skip_lines()
			if self.at("EOF"):
				return
			start = self.tok
			try:
				self.declaration()
			except ParseError as e:
				self.report(e)
				self.to_column_one(start)

	def declaration(self):
		start = self.next()
		if start.kind != "WORD" or start.text not in DECLARATIONS:
			hint = did_you_mean(start.text, DECLARATIONS) if start.kind == "WORD" else None
			raise ParseError("unknown declaration %s" % describe(start), start.loc, hint=hint)
		handler = "struct" if start.text == "payload" else start.text
		getattr(self, handler)(start, start.doc or "")
		if self.tok.kind not in ("NL", "EOF"):
			self.fail("unexpected %s after the declaration" % describe(self.tok))

	def to_column_one(self, start):
		if self.tok is start:
			self.next()
		while self.tok.kind != "EOF" and (self.tok.col != 1 or self.tok.kind != "WORD"):
			self.next()


def parse(files, diags):
	"""files: (name, text) pairs in order.  Returns the Spec; what is wrong is in diags."""
	spec = ast.Spec(sources=diags.sources)
	for name, text in files:
		diags.sources[name] = text.split("\n")
		Parser(tokenize(text, name, diags), spec, diags).file()
	for kind in ("registries", "bits", "structs", "attributes", "algorithms", "keys", "messages", "machines",
			"oneways", "suites", "columns", "protocols"):
		for d in getattr(spec, kind):
			for code in d.clauses.allow:
				diags.allow(code.text, d.loc.file, d.loc.line, d.last)
	return spec


