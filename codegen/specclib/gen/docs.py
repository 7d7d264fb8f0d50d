"""specc docs: protocol.md, the reference of everything that the spec says."""

from ..conditions import spell
from .layout import Layout
from .resolve import Resolver

COMMAND = "docs"

SECTIONS = ("Exchanges", "Machines", "Keys", "The header and the payloads", "Attributes", "Suites", "Limits and timers",
	"Reasons", "Registries")


def outputs(model):
	return {"protocol.md": "\n".join(Reference(model).lines()).rstrip() + "\n"}


def cell(text):
	return str(text).replace("|", "\\|").replace("\n", " ") if text not in (None, "") else ""


def table(heading, rows):
	"""Lines of a table; columns without anything in them are left out."""
	rows = [[cell(c) for c in row] for row in rows]
	used = [i for i in range(len(heading)) if any(row[i] for row in rows)]
	if not rows:
		return []
	out = ["| %s |" % " | ".join(heading[i] for i in used), "|%s|" % "|".join(" --- " for _ in used)]
	return out + ["| %s |" % " | ".join(row[i] for i in used) for row in rows] + [""]


def anchor(title):
	return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def cited(rfc):
	return " (%s)" % rfc if rfc else ""


def dash(x):
	return x.symbol if x is not None else ""


class Reference:
	def __init__(self, model):
		self.model = model
		self.resolver = Resolver(model)

	def lines(self):
		yield "# The protocol, as the spec says it"
		yield ""
		yield "Written by `codegen/specc docs` from `spec/`: every number, layout, order and rule that the daemon works by."
		yield ""
		for s in SECTIONS:
			yield "- [%s](#%s)" % (s, anchor(s))
		parts = (self.exchanges, self.machines, self.keys, self.payloads, self.attributes, self.suites, self.limits,
			self.reasons, self.registries)
		for title, part in zip(SECTIONS, parts):
			yield from ("", "## %s" % title, "")
			yield from part()

	@staticmethod
	def doc(text):
		return [text, ""] if text else []

	# ---- exchanges

	def exchanges(self):
		yield "`HDR*` = encrypted. `,` any order, `>` strictly before, `[X]` optional, `X*` any number, `X+` at least one,"
		yield "`[A > B]` an adjacent pair, `> ...` nothing but tolerated payloads follow."
		yield ""
		for set_ in self.model.message_sets.values():
			yield from ("### Exchange %s: %s%s" % (set_.name, set_.exchange_name, cited(set_.rfc)), "")
			yield from self.doc(set_.doc)
			words = ["exchange type %d" % set_.exchange, "message ID %s" % set_.msgid]
			if set_.tolerated:
				words.append("tolerated: %s" % ", ".join(p.name for p in set_.tolerated))
			if set_.iv is not None:
				words.append("encrypted messages begin with the IV %s under the key %s" % (set_.iv.name, set_.key.name))
			text = "; ".join(words) + "."
			yield from (text[0].upper() + text[1:], "")
			yield from table(("Message", "Variants", "Protection", "Payloads", "Where", "Source"),
				[("`%s`" % msg.name, ", ".join(s.variants), {"clear": "HDR", "encrypted": "HDR*", "either": "HDR?"}[msg.protection],
					"`%s`" % s.text, "`%s`" % s.where_text if s.where_text else "", s.rfc)
					for msg in set_.messages for s in msg.shapes])
		yield from ("### Roles", "")
		yield from table(("Role", "Payload", "Where", "Source"), [(r.name, r.payload.name,
			"`%s`" % spell(r.decl.where) if r.decl.where else "", r.rfc) for r in self.model.roles.values()])

	def machines(self):
		for k in self.model.machines.values():
			yield from ("### Machine %s%s" % (k.name, cited(k.rfc)), "")
			yield from self.doc(k.doc)
			if k.selects:
				yield "Phase %d; it selects `%s`: %s." % (k.phase, k.selects, ", ".join(name for name, _, _ in k.variants))
				yield ""
			yield from table(("State", "Role", "", "Meaning"), [(s.name, s.role,
				" ".join(w for w in ("start", "final", "resend", "over") if getattr(s, w)), s.text) for s in k.states])
			rows = [("-", "-", "", k.initiate)] if k.initiate else []
			rows += [(r.state.name, r.recv.name, ", ".join(r.variants), r) for r in k.rows]
			yield from table(("In state", "takes", "when " + (k.selects or ""), "action", "sends", "then", "timer"),
				[(state, recv, when, "".join("`%s`, then " % x for x in (r.prepare,) if x) + "`%s`" % r.action, r.send.name if r.send else "-", r.next.name, r.timer or "-")
					for state, recv, when, r in rows])
		for o in self.model.oneways.values():
			yield from ("### One-way messages %s" % o.name, "")
			yield from table(("Message", "action"), [(msg.name, "`%s`" % action) for msg, action, _ in o.rows])

	def keys(self):
		yield from table(("Value", "Variants", "Formula", "Source"), [(v.name, ", ".join(f.variants), "`%s`" % f.text, f.rfc)
			for v in self.model.values.values() for f in v.formulas])
		yield from table(("Input", "From", "Meaning"), [(v.name, v.source, v.text) for v in self.model.values.values()
			if not v.formulas and v.source not in ("body", "whole")])

	# ---- payloads

	def payloads(self):
		for struct in self.model.structs.values():
			number = " = %d" % struct.number if struct.number is not None else ""
			yield from ("### %s%s%s%s" % (struct.name, number, ": " + struct.text if struct.text else "", cited(struct.rfc)), "")
			yield from self.doc(struct.doc)
			layout = Layout(self.resolver, self.model.structs[struct.name].decl)
			yield from ["```"] + layout.diagram() + ["```", ""]
			yield from table(("Field", "Type", "Must be", "else"), [(f.name, self.type(f), self.must(f), dash(f.notify))
				for f in struct.own_fields])
			for r in struct.requires:
				yield "- `%s`%s" % (r.text, ", else %s" % r.notify.symbol if r.notify else "")
			if struct.requires:
				yield ""

	@staticmethod
	def type(f):
		named = f.registry or f.bitset or f.switch
		if named is not None:
			name = named.name + ("[%s]" % f.selector if f.switch else "")
			return "[%s](#%s) (%d bits)" % (name, anchor(named.name), f.bits) if f.switch is None \
				else "%s (%d bits)" % (name, f.bits)
		if f.kind == "uint":
			return "%d bits" % f.bits
		if f.kind == "structs":
			return "%s payloads" % f.element.name
		if f.kind == "attributes":
			return "attributes of %s" % f.selector
		if f.kind == "slices":
			return "pieces of %s octets" % f.slice_size
		return "%s octets" % (f.min if f.fixed else f.length_field or "the remaining")

	@staticmethod
	def must(f):
		words = []
		if f.constraint == "range":
			words.append("%d..%d" % f.values)
		elif f.constraint == "count":
			words.append("the number of %s" % f.counts)
		elif f.constraint in ("size_self", "size_message"):
			words.append("the size of the %s" % ("payload" if f.constraint == "size_self" else "message"))
		elif f.constraint == "nonzero":
			words.append("not zero")
		elif f.constraint is not None:
			words.append(" or ".join(str(n) for n in f.value_names))
		elif f.registry is not None and f.registry.closed and not f.chain:
			words.append("known")
		if f.kind == "zero":
			words.append("zero")
		if f.takes_rest and (f.min or f.max is not None):
			words.append("%d or more" % f.min if f.max is None else "%d to %d" % (f.min, f.max))
		if f.sizes:
			words.append("the size of %s" % ", ".join(f.sizes))
		if f.chain:
			words.append("each says which follows" if f.kind == "uint" else "a chain")
		return ", ".join(words) + (" (only observed)" if f.lax else "")

	def attributes(self):
		names = {e.lo: e.symbol for e in self.model.registries["protocol_id"].entries if e.kind == "named"}
		for t in self.model.attributes.values():
			owners = ": for " + ", ".join(names[p] for p in t.protocols) if t.protocols else ""
			yield from ("### %s%s%s" % (t.name, owners, cited(t.rfc)), "")
			yield from table(("Type", "Name", "Form", "Value", "after", "Source"), [(e.number, e.name,
				"basic" if e.basic else "variable", e.registry.name if e.registry else self.octets(e), e.after, e.rfc)
				for e in t.entries])

	@staticmethod
	def octets(e):
		if e.kind == "uint" and e.min == e.max:
			return "number of %d octets" % e.min
		if e.step > 1:
			return "data of %s octets, a multiple of %d" % ("%d to %d" % (e.min, e.max) if e.max else "any number of", e.step)
		return "%s of %d%s octets" % ("number" if e.kind == "uint" else "data", e.min, " to %d" % e.max if e.max else " or more")

	def suites(self):
		for s in self.model.suites.values():
			yield from ("### %s: %s%s" % (s.name, s.protocol_name, cited(s.rfc)), "")
			yield from self.doc(s.doc)
			yield from ("%d. %s" % (i, " ".join(map(str, row.names))) for i, row in enumerate(s.rows, 1))
			yield ""

	def limits(self):
		yield from table(("Limit", "", ""), [(l.name, l.value, l.doc) for l in self.model.limits.values()])
		yield from table(("Timer", "Milliseconds", ""), [(t.name, ", ".join(map(str, t.times)), t.doc)
			for t in self.model.timers.values()])

	def reasons(self):
		yield "Why something is refused, in the words of the log; *remedy* is what the operator can do."
		yield ""
		for r in self.model.reasons.values():
			text = self.template(r.template)
			yield "- **%s**: %s%s%s" % (r.name, text, " *Remedy:* %s" % self.template(r.remedy) if r.remedy else "",
				" (tells the peer %s)" % r.notify.symbol if r.notify else "")
		yield ""

	@staticmethod
	def template(pieces):
		return "".join(p if isinstance(p, str) else "{%s}" % p[0] for p in pieces)

	def registries(self):
		for r in self.model.registries.values():
			title = r.name if r.switch is None else "%s, branch of %s" % (r.name, r.switch)
			yield from ("### %s" % r.name, "")
			if r.switch is not None:
				yield from (title + cited(r.rfc) + ".", "")
			elif r.rfc:
				yield from ("%s." % r.rfc, "")
			yield from self.doc(r.doc)
			yield from table(("Number", "Symbol", "Meaning", "Word", "Source"), [(
				e.lo if e.lo == e.hi else "%d..%d" % (e.lo, e.hi), e.symbol or "*%s*" % e.kind, e.text,
				", ".join(e.words), e.rfc) for e in r.entries])
		for b in self.model.bits.values():
			yield from ("### %s" % b.name, "")
			if b.rfc:
				yield from ("%s." % b.rfc, "")
			yield from table(("Bit", "Symbol", "Meaning"), [(e.bit, e.symbol.text, e.text) for e in b.entries])
