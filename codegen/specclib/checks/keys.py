"""Phase `keys`: formulas that go round, and values used before they are known (forward data-flow)."""

from .machines import all_rows, covered, names


def check(model, diags):
	overlapping(model, diags)
	if circular(model, diags):
		return
	for machine in model.machines.values():
		for variant in names(machine) or [None]:
			Flow(model, machine, variant, diags).run()
	for oneway in model.oneways.values():
		known = retained(model)
		for message, _, row in oneway.rows:
			for shape in message.shapes:
				needs(model, message, shape, None, known | captured(shape), diags, row.message.loc,
					"verified", "in oneway '%s'" % oneway.name)


def overlapping(model, diags):
	for value in model.values.values():
		for i, f in enumerate(value.formulas):
			for other in value.formulas[:i]:
				both = set(f.variants) & set(other.variants)
				if both or not f.variants or not other.variants:
					diags.error("dup", "value '%s' has two formulas%s" % (value.name,
						" for " + ", ".join(sorted(both)) if both else ""), f.decl.name.loc,
						notes=[("the other one", other.decl.name.loc)])


def inputs(formula):
	return [v for v in list(formula.key) + list(formula.terms) if not isinstance(v, int)]


def circular(model, diags):
	found, done = False, set()

	def visit(value, way):
		nonlocal found
		if value in way:
			ring = way[way.index(value):] + [value]
			diags.error("key-order", "'%s' is made of itself: %s" % (value.name,
				" <- ".join(v.name for v in ring)), value.loc)
			found = True
			return
		if value in done:
			return
		for f in value.formulas:
			for v in inputs(f):
				visit(v, way + [value])
		done.add(value)
	for value in list(model.values.values()):
		visit(value, [])
	return found


def retained(model):
	"""What phase 2 finds: the kept values of phase 1, and what the header and engine give."""
	return {v.name for v in model.values.values() if v.retain
		or v.source in ("icookie", "rcookie", "msgid", "last_block", "rest")}


def captured(shape):
	"""Names of the values that the payloads of a shape bring: single ones that are always there."""
	found = set()
	for slot, repeat, optional in shape.elements:
		if repeat or optional or slot.repeated:
			continue
		found |= {v.name for v in (slot.body, slot.whole) if v is not None}
	return found


def missing(value, variant, known):
	"""The first input that cannot be had, or None when the value can be made."""
	if value.name in known:
		return None
	formulas = [f for f in value.formulas if not f.variants or variant is None or variant in f.variants]
	if not formulas:
		return value
	for v in inputs(formulas[0]):
		lack = missing(v, variant, known)
		if lack is not None:
			return lack
	return None


def why(value, variant):
	if value.source in ("body", "whole"):
		return "%s has not been seen" % value.name
	if value.source == "action":
		return "no action has supplied %s" % value.name
	if value.source == "formula":
		return "%s has no formula for %s" % (value.name, variant)
	return "%s is not known yet" % value.name


def needs(model, message, shape, variant, known, diags, loc, verb, where):
	"""Everything that the message asks for: its hashes, and the key and first IV if it is encrypted."""
	wanted = [(s.name, s.formula) for s, _, _ in shape.elements if s.formula is not None]
	if message.protection != "clear":
		messages = message.messages
		wanted += [("the %s of %s" % (what, message.name), v) for what, v in (("key", messages.key),
			("IV", messages.iv)) if v is not None]
	for name, value in wanted:
		lack = missing(value, variant, known)
		if lack is None:
			continue
		received = lack.source in ("body", "whole") and verb == "verified"
		diags.error("key-avail", "%s cannot be %s %s: %s" % (name, verb if value is not message.messages.key
			and value is not message.messages.iv else "had", where,
			"%s has not been received" % lack.name if received else why(lack, variant)), loc,
			notes=[("needed here", formula_loc(value, variant))],
			hint="say who brings it: supplies %s by ACTION" % lack.name if lack.source == "action" else None)


def formula_loc(value, variant):
	for f in value.formulas:
		if not f.variants or variant is None or variant in f.variants:
			return f.decl.loc
	return value.loc


class Flow:
	"""What each state surely knows, for one machine and variant."""

	def __init__(self, model, machine, variant, diags):
		self.model, self.machine, self.variant, self.diags = model, machine, variant, diags
		self.known = {}		# State -> set of names

	def header(self, role):
		"""What an end has before any payload: the header's fields, and what is kept of phase 1."""
		found = {v.name for v in self.model.values.values() if v.source in ("icookie", "msgid", "rest")
			or (v.source == "rcookie" and role == "responder")}
		return found | retained(self.model) if self.machine.phase == 2 else found

	def shape(self, message):
		shapes = message.shapes_for(self.variant)
		return shapes[0] if shapes else None

	def after(self, row, before):
		known = set(before)
		for message in (row.recv, row.send):
			if message is not None and self.shape(message) is not None:
				known |= captured(self.shape(message))
		if row.recv is not None:
			known |= {v.name for v in self.model.values.values() if v.source == "rcookie"}
		return known | self.supplied(row.prepare) | self.supplied(row.action)

	def supplied(self, action):
		return {v.name for v in self.machine.supplies.get(action, ())}

	def before(self, row):
		if row.state is None:
			return self.header("initiator")
		if row.state.start:
			return self.header("responder")
		return self.known.get(row.state)

	def run(self):
		rows = [r for r in all_rows(self.machine) if self.variant in covered(self.machine, r)]
		changed = True
		while changed:
			changed = False
			for row in rows:
				before = self.before(row)
				if before is None:
					continue
				after = self.after(row, before)
				old = self.known.get(row.next)
				new = after if old is None else old & after
				if new != old:
					self.known[row.next] = new
					changed = True
		for row in rows:
			before = self.before(row)
			if before is not None:
				self.row(row, before)

	def row(self, row, before):
		where = "in %s" % (row.state.name if row.state else "the first message")
		if row.recv is not None and self.shape(row.recv) is not None:
			known = before | captured(self.shape(row.recv)) | self.supplied(row.prepare) | {
				v.name for v in self.model.values.values() if v.source == "rcookie"}
			needs(self.model, row.recv, self.shape(row.recv), self.variant, known, self.diags,
				row.decl.recv.loc, "verified", where)
		if row.send is not None and self.shape(row.send) is not None:
			needs(self.model, row.send, self.shape(row.send), self.variant, self.after(row, before),
				self.diags, row.decl.send.loc, "made", where)
