"""Resolves roles, keys, messages, machines and one-way messages."""

from . import model as m
from . import shapes
from .conditions import spell

CAPTURES = (("_b", "body"), ("_w", "whole"))
ROW_TIMERS = ("retransmit", "replace")


class ExchangeResolver:
	def exchanges(self):
		self.variants()
		self.roles()
		self.keys()
		for decl in self.spec.messages:
			self.message_set(decl)
		for decl in self.spec.machines:
			self.machine(decl)
		for decl in self.spec.oneways:
			self.oneway(decl)

	# ---- variants

	def variants(self):
		"""Every machine's variants, in order; what messages and keys name must be among them."""
		for machine in self.spec.machines:
			for variant, _ in machine.selects.variants if machine.selects else ():
				if variant.text not in self.model.variants:
					self.model.variants.append(variant.text)

	def variant_names(self, names):
		found = []
		for n in names:
			if n.text not in self.model.variants:
				self.undef("variant", n, self.model.variants, None if self.model.variants else
					"variants are declared by 'selects' of a machine")
			else:
				found.append(n.text)
		return tuple(found)

	# ---- roles and keys

	def roles(self):
		for r in self.spec.roles:
			payload = self.lookup("payload", r.payload, self.model.payloads)
			if payload is None:
				continue
			where = self.conditions.of_struct(payload, r.where) if r.where is not None else None
			self.model.roles.setdefault(r.name.text, m.Role(r.name.text, payload, where,
				spell(r.where) if r.where is not None else "", r.clauses.citation(), r))

	def payload_of(self, name):
		"""The payload that a role or payload name stands for, or None with a report."""
		role = self.model.roles.get(name.text)
		if role is not None:
			return role.payload
		payload = self.model.payloads.get(name.text)
		if payload is None:
			self.undef("payload or role", name, list(self.model.roles) + list(self.model.payloads))
		return payload

	def keys(self):
		values = self.model.values
		for keys in self.spec.keys:
			for i in keys.inputs:
				values.setdefault(i.name.text, m.Value(i.name.text, i.source.text, None, False, i.secret, i.text,
					[], i.loc))
			for f in keys.formulas:
				value = values.setdefault(f.name.text, m.Value(f.name.text, "formula", None, False, False, f.doc,
					[], f.loc))
				value.retain = value.retain or f.retain
				value.secret = value.secret or f.secret
		for keys in self.spec.keys:
			for f in keys.formulas:
				self.formula(f)
		for number, value in enumerate(values.values(), 1):
			value.number = number

	def formula(self, f):
		value = self.model.values[f.name.text]
		variants = self.variant_names(f.variants)
		key, terms = self.terms(f.key), self.terms(f.terms)
		made = m.Formula(value, variants, self.model.variant_mask(variants), f.fn.text, key, terms, f.text,
			f.clauses.citation(), f)
		value.formulas.append(made)
		self.model.formulas.append(made)

	def terms(self, terms):
		found = []
		for t in terms:
			if hasattr(t, "value"):
				found.append(t.value)
				continue
			value = self.value(t)
			if value is not None:
				found.append(value)
		return found

	def value(self, name):
		"""A key value: declared, or X_b / X_w of a role or payload."""
		values = self.model.values
		if name.text in values:
			return values[name.text]
		for suffix, source in CAPTURES:
			base = name.text[:-len(suffix)]
			if name.text.endswith(suffix) and (base in self.model.roles or base in self.model.payloads):
				values[name.text] = m.Value(name.text, source, base, False, False,
					"the %s of %s" % (source, base), [], name.loc)
				return values[name.text]
		known = list(values) + [r + "_b" for r in self.model.roles]
		self.undef("value", name, known)
		return None

	# ---- messages

	def message_set(self, decl):
		registry = self.model.registries.get(m.EXCHANGES)
		exchange = None
		if registry is None:
			self.undef("exchange type", decl.exchange, (), "declare registry %s" % m.EXCHANGES)
		else:
			exchange = self.symbol(decl.exchange, registry)
		made = m.Messages(decl.name.text, exchange or 0, decl.exchange.text, decl.msgid,
			self.value(decl.iv) if decl.iv else None, self.value(decl.key) if decl.key else None, [], [],
			decl.clauses.citation(), decl.doc, decl)
		for t in decl.tolerate:
			payload = self.lookup("payload", t, self.model.payloads)
			if payload is not None:
				made.tolerated.append(payload)
		for x in decl.messages:
			self.message(made, x)
		for message in made.messages:
			for shape in message.shapes:
				self.finish_shape(message, shape)
		self.model.message_sets.setdefault(made.name, made)

	def message(self, made, x):
		message = self.model.messages.get(x.name.text)
		if message is None:
			message = m.Message(x.name.text, len(self.model.messages) + 1, made, x.protection, [], [], x.doc,
				x.name.loc)
			self.model.messages[message.name] = message
			made.messages.append(message)
		elif message.messages is not made:
			self.diags.error("dup", "message '%s' is already declared" % x.name.text, x.name.loc,
				notes=[("the other one", message.loc)])
			return
		elif message.protection != x.protection:
			self.diags.error("dup", "the shapes of '%s' differ in their HDR mark" % x.name.text, x.name.loc,
				notes=[("the other one", message.loc)])
		variants = self.variant_names(x.variants)
		shape = m.Shape(variants, self.model.variant_mask(variants), [], None, None,
			spell(x.where) if x.where is not None else "", x.clauses.citation() or made.rfc, x, x.shape.text)
		for group in x.shape.groups:
			for item in group:
				for element in item.elements:
					self.element(message, shape, item, element)
		message.shapes.append(shape)

	def element(self, message, shape, item, element):
		payload = self.payload_of(element.name)
		if payload is None:
			return
		slot = message.slot(element.name.text)
		if slot is None:
			slot = self.new_slot(message, element.name.text, payload)
		elif any(s is slot for s, _, _ in shape.elements):
			slot.repeated = True
		slot.repeated = slot.repeated or element.repeat != ""
		slot.optional = slot.optional or item.optional or element.repeat == "*"
		shape.elements.append((slot, element.repeat, item.optional))

	def new_slot(self, message, name, payload):
		values = self.model.values
		slot = m.Slot(name, payload, self.model.roles.get(name), len(message.slots), False,
			bool(message.shapes), values.get(name + "_b"), values.get(name + "_w"))
		formula = values.get(name)
		if formula is not None and formula.formulas:
			slot.formula = formula
			slot.signature = any(f.fn == "sign" for f in formula.formulas)
		message.slots.append(slot)
		return slot

	def finish_shape(self, message, shape):
		for slot in message.slots:
			if not any(s is slot for s, _, _ in shape.elements):
				slot.optional = True
		if shape.decl.where is not None:
			shape.where = self.conditions.of_message(message, shape.decl.where)
		names = {e.name.text for g in shape.decl.shape.groups for item in g for e in item.elements}
		payload_of = {s.name: s.payload.name for s in message.slots}
		if not names <= set(payload_of):
			return
		try:
			shape.dfa = shapes.build(shape.decl.shape, payload_of,
				[p.name for p in message.messages.tolerated])
		except (shapes.Ambiguous, shapes.TooLarge):
			pass	# the check of shapes says so

	# ---- machines

	def machine(self, decl):
		messages = self.lookup("messages", decl.messages, self.model.message_sets)
		made = m.Machine(decl.name.text, len(self.model.machines), messages, decl.phase,
			decl.selects.variable.text if decl.selects else None, [], [], None, [], [], {},
			decl.clauses.citation(), decl.doc, decl)
		for variant, symbol in decl.selects.variants if decl.selects else ():
			made.variants.append((variant.text,) + self.select_symbol(symbol))
		for _, symbol in decl.selects.more if decl.selects else ():
			self.select_symbol(symbol)
		for s in decl.states:
			state = m.State(s.name.text, len(self.model.states), s.role, s.start, s.final, s.resend, s.over, s.text,
				s.doc, made, s.name.loc)
			made.states.append(state)
			self.model.states.append(state)
		for i in decl.initiates[:1]:
			made.initiate = self.row(made, i, None, None, ())
		for i in decl.initiates[1:]:
			self.diags.error("dup", "a machine has one 'initiate'", i.loc,
				notes=[("the other one", decl.initiates[0].loc)])
		for r in decl.rows:
			state = self.state(made, r.state)
			row = self.row(made, r, state, self.own_message(made, r.recv), r.variants)
			made.rows.append(row)
			if state is not None:
				state.rows.append(row)
		self.binds(made)
		self.model.machines.setdefault(made.name, made)

	def select_symbol(self, symbol):
		if symbol is None:
			return None, None
		used = {a.registry for t in self.model.attributes.values() for a in t.entries if a.registry}
		found = [r for r in self.model.registries.values() if r in used and symbol.text in r.by_symbol]
		if not found:
			self.undef("value", symbol, [s for r in used for s in r.by_symbol])
			return None, None
		if len(found) > 1:
			self.diags.error("undef", "'%s' may be of registry %s" % (symbol.text,
				" or ".join("'%s'" % r.name for r in found)), symbol.loc)
		return found[0].by_symbol[symbol.text].lo, found[0]

	def state(self, machine, name):
		state = machine.state(name.text)
		if state is None:
			self.undef("state", name, [s.name for s in machine.states])
		return state

	def own_message(self, machine, name):
		"""A message of the machine's set, or None with a report."""
		if machine.messages is None or name is None:
			return None
		found = next((x for x in machine.messages.messages if x.name == name.text), None)
		if found is None:
			self.undef("message", name, [x.name for x in machine.messages.messages])
		return found

	def row(self, machine, decl, state, recv, variants):
		own = [v[0] for v in machine.variants]
		names = []
		for n in variants:
			if n.text in own:
				names.append(n.text)
			else:
				self.undef("variant", n, own)
		send = self.own_message(machine, decl.send)
		timer = decl.timer.text if decl.timer else None
		if timer is not None and timer not in ROW_TIMERS and timer not in self.model.timers:
			self.undef("timer", decl.timer, ROW_TIMERS + tuple(self.model.timers))
		prepare = getattr(decl, "prepare", None)
		made = m.Row(state, recv, tuple(names), self.model.variant_mask(names), prepare and prepare.text,
			decl.action.text, send, self.state(machine, decl.next), timer, getattr(decl, "doc", ""), decl)
		if prepare is not None:
			self.action(prepare, machine, recv, None, made)
		self.action(decl.action, machine, recv, send, made)
		return made

	def action(self, name, owner, recv, send, row):
		known = self.model.actions.get(name.text)
		if known is None:
			self.model.actions[name.text] = m.Action(name.text, owner, recv, send, [row], name.loc)
			return
		known.rows.append(row)
		if known.recv is not recv or known.send is not send:
			self.diags.error("action", "action '%s' is used for different messages" % name.text, name.loc,
				notes=[("here it is used otherwise", known.loc)],
				hint="an action has one type of input and one of output: give this one its own name")

	def binds(self, made):
		actions = [r.action.text for r in made.decl.rows] + [i.action.text for i in made.decl.initiates]
		actions += [r.prepare.text for r in made.decl.rows if r.prepare is not None]
		received = [r.recv.text for r in made.decl.rows]
		first = {r.recv.name for s in made.states if s.start for r in s.rows if r.recv is not None}
		for b in made.decl.binds:
			if b.variable.text != made.selects:
				self.undef("variable", b.variable, (made.selects,) if made.selects else ())
			for a in b.actions:
				if a.text == "peer":
					made.binds.extend(sorted(first))
				elif a.text not in actions + received:
					self.undef("action", a, actions + received + ["peer"])
				else:
					made.binds.append(a.text)
		for s in made.decl.supplies:
			values = [v for v in (self.value(n) for n in s.values) if v is not None]
			for a in s.actions:
				if a.text not in actions:
					self.undef("action", a, actions)
				else:
					made.supplies.setdefault(a.text, []).extend(values)

	def oneway(self, decl):
		messages = self.lookup("messages", decl.messages, self.model.message_sets)
		made = m.Oneway(decl.name.text, messages, [], decl.clauses.citation(), decl.doc, decl)
		for r in decl.rows:
			message = None
			if messages is not None:
				message = next((x for x in messages.messages if x.name == r.message.text), None)
				if message is None:
					self.undef("message", r.message, [x.name for x in messages.messages])
			made.rows.append((message, r.action.text, r))
			self.action(r.action, made, message, None, r)
		self.model.oneways.setdefault(made.name, made)
