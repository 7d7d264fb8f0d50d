"""Phase `machines`: rows, reachability, variants, loss; the product of both ends is in duality.py."""

from . import duality


def check(model, diags):
	for machine in model.machines.values():
		one_machine(machine, diags)
	for oneway in model.oneways.values():
		heard = {message.name for message, _, _ in oneway.rows}
		for message in oneway.messages.messages:
			if message.name not in heard:
				diags.warning("emit-gap", "message '%s' is never received by oneway '%s'" % (message.name,
					oneway.name), message.loc)
		for i, (message, _, row) in enumerate(oneway.rows):
			for other, _, earlier in oneway.rows[:i]:
				if other is message:
					diags.error("nondet", "two actions for %s" % message.name, row.loc,
						notes=[("the other one", earlier.loc)])
	owned = {x.messages.name for x in list(model.machines.values()) + list(model.oneways.values())}
	for messages in model.message_sets.values():
		if messages.name not in owned:
			diags.warning("emit-gap", "messages '%s' belong to no machine and no oneway" % messages.name,
				messages.decl.name.loc)


def one_machine(machine, diags):
	"""In steps: what is wrong in one would only be reported in other words by the next."""
	before = diags.errors()
	nondet(machine, diags)
	roles(machine, diags)
	no_shape(machine, diags)
	guards(machine, diags)
	prepared(machine, diags)
	if diags.errors() > before:
		return
	complete = reachable(machine, diags)
	loss(machine, diags)
	sent_and_received(machine, diags)
	if complete and diags.errors() == before:
		duality.check(machine, diags)


def names(machine):
	return [v[0] for v in machine.variants]


def covered(machine, row):
	"""The variants that a row is for."""
	return set(row.variants or names(machine) or (None,))


def when(machine, variants):
	shown = [v for v in names(machine) if v in variants]
	return " when %s = %s" % (machine.selects, ", ".join(shown)) if shown else ""


def all_rows(machine):
	return ([machine.initiate] if machine.initiate else []) + machine.rows


def nondet(machine, diags):
	for i, row in enumerate(machine.rows):
		for other in machine.rows[:i]:
			both = covered(machine, row) & covered(machine, other)
			if row.state is other.state and row.recv is other.recv and both:
				diags.error("nondet", "two transitions for %s on %s%s" % (row.state.name, row.recv.name,
					when(machine, both)), row.decl.state.loc, notes=[("the other one", other.decl.state.loc)],
					hint="make the '%s' cells disjoint" % machine.selects if machine.selects else None)


def roles(machine, diags):
	starts = [s for s in machine.states if s.start]
	for s in starts[1:]:
		diags.error("role", "a machine has one start state", s.loc, notes=[("the other one", starts[0].loc)])
	for s in starts:
		if s.role != "responder":
			diags.error("role", "start state '%s' is the initiator's" % s.name, s.loc,
				hint="the initiator begins by 'initiate', the responder in its start state")
	senders = {}
	for row in all_rows(machine):
		role = row.state.role if row.state else "initiator"
		if row.next.role != role:
			diags.error("role", "the %s cannot enter '%s': it is the %s's" % (role, row.next.name, row.next.role),
				row.decl.next.loc, notes=[("declared here", row.next.loc)])
		if row.send is not None:
			senders.setdefault(row.send, {}).setdefault(role, row)
	for message, by in senders.items():
		if len(by) > 1:
			diags.error("role", "both ends send %s" % message.name, by["responder"].decl.send.loc,
				notes=[("the initiator does here", by["initiator"].decl.send.loc)])
	for row in machine.rows:
		by = senders.get(row.recv, {})
		if len(by) == 1 and row.state.role in by:
			diags.error("role", "%s is the %s's and cannot receive %s: only the %s sends it" % (row.state.name,
				row.state.role, row.recv.name, row.state.role), row.decl.recv.loc,
				notes=[("sent here", by[row.state.role].decl.send.loc)])


def prepared(machine, diags):
	for row in machine.rows:
		if row.prepare is None or any(s.formula is not None for s in row.recv.slots):
			continue
		diags.error("prepare", "%s carries no hash or signature: nothing waits for what '%s' gives" % (
			row.recv.name, row.prepare), row.decl.prepare.loc, notes=[("its shapes", row.recv.loc)],
			hint="write '-' here and let '%s' do it" % row.action)


def reachable(machine, diags):
	"""Reports states never entered and states without a way on; True when the product can be made."""
	found = {s for s in machine.states if s.start}
	todo = list(found)
	if machine.initiate:
		found.add(machine.initiate.next)
		todo.append(machine.initiate.next)
	while todo:
		for row in todo.pop().rows:
			if row.next not in found:
				found.add(row.next)
				todo.append(row.next)
	for s in machine.states:
		if s not in found:
			diags.error("unreachable", "state '%s' can never be entered" % s.name, s.loc,
				hint="no row has it in its column 'next'")
		elif not s.final and not s.rows:
			diags.error("dead-end", "state '%s' is not final and has no row" % s.name, s.loc,
				hint="add a row for the message it waits for, or mark it 'final'")
		elif s.over and (not s.final or machine.phase == 1):
			diags.error("dead-end", "state '%s' cannot be 'over': %s" % (s.name, "it is not 'final'" if not s.final
				else "a phase 1 is kept for what stands under it"), s.loc)
	for row in all_rows(machine):
		if row.next.over and row.next.resend and row.timer in (None, "retransmit", "replace"):
			diags.error("dead-end", "'%s' is 'over' and 'resend': nothing says how long it answers duplicates"
				% row.next.name, row.decl.next.loc, hint="name one of the 'timers' in the column 'timer'")
	return machine.initiate is not None and any(s.start for s in machine.states)


def no_shape(machine, diags):
	for row in all_rows(machine):
		for message, name, verb in ((row.recv, "recv", "received"), (row.send, "send", "sent")):
			if message is None:
				continue
			missing = [v for v in covered(machine, row) if not message.shapes_for(v)]
			if missing:
				diags.error("no-shape", "%s is %s with %s = %s but has no shape for it" % (message.name, verb,
					machine.selects, ", ".join(v for v in names(machine) if v in missing)),
					getattr(row.decl, name).loc, notes=[("its shapes", message.loc)])


# ---- variants

def tells(machine, row):
	"""Whether the variable is known as soon as the row's message has been matched."""
	return row.recv is not None and row.recv.name in machine.binds


def binding(machine, row):
	return tells(machine, row) or row.action in machine.binds or row.prepare in machine.binds


def bound_states(machine):
	"""The states in which the variable is known on every way in."""
	bound = {s: not s.start for s in machine.states}
	changed = True
	while changed:
		changed = False
		for row in all_rows(machine):
			known = row.state is not None and bound[row.state] or binding(machine, row)
			if not known and bound[row.next]:
				bound[row.next] = False
				changed = True
	return bound


def guards(machine, diags):
	if not machine.variants:
		return
	bound = bound_states(machine)
	for row in machine.rows:
		before = bound[row.state] or tells(machine, row)
		if not before and row.variants:
			diags.error("guard-early", "%s is not known yet in %s" % (machine.selects, row.state.name),
				row.decl.variants[0].loc, hint="only a 'binds' action makes it known; write '-' here")
		elif not before and len(row.recv.shapes) > 1:
			diags.error("guard-early", "%s is not known yet in %s, and %s has a shape for each" % (
				machine.selects, row.state.name, row.recv.name), row.decl.recv.loc,
				notes=[("its shapes", row.recv.loc)])
		elif row.send is not None and not (before or binding(machine, row)) and len(row.send.shapes) > 1:
			diags.error("guard-early", "%s is not known when %s is sent, and it has a shape for each" % (
				machine.selects, row.send.name), row.decl.send.loc, notes=[("its shapes", row.send.loc)])
	for message in {r.recv.name: r.recv for r in machine.rows if tells(machine, r)}.values():
		told_apart(message, diags)


def told_apart(message, diags):
	"""The peer's message selects the variant: no sequence may fit two shapes."""
	for i, a in enumerate(message.shapes):
		for b in message.shapes[:i]:
			witness = common_sequence(a.dfa, b.dfa)
			if witness is not None:
				diags.error("ambiguous", "a message can be %s of %s and of %s" % (message.name,
					", ".join(b.variants), ", ".join(a.variants)), a.decl.name.loc,
					notes=[("the other shape", b.decl.name.loc), ("for example: " + " ".join(witness), None)])


def common_sequence(a, b):
	"""Payloads that both automata accept, or None."""
	both = [c for c in a.classes if c in b.classes]
	seen, todo = {(1, 1)}, [((1, 1), ())]
	while todo:
		(s, t), way = todo.pop(0)
		if a.accept[s] and b.accept[t]:
			return way
		for c in both:
			to = (a.next[s][a.classes.index(c)], b.next[t][b.classes.index(c)])
			if 0 not in to and to not in seen:
				seen.add(to)
				todo.append((to, way + (c,)))
	return None


# ---- loss

def loss(machine, diags):
	entered_by_sending = set()
	for row in all_rows(machine):
		if row.send is not None:
			entered_by_sending.add(row.next)
			if row.timer != "retransmit" and not row.next.resend:
				diags.error("loss", "if %s is lost nobody sends it again: no retransmit timer, and %s is not 'resend'"
					% (row.send.name, row.next.name), row.decl.send.loc, notes=[("the state", row.next.loc)])
		elif row.timer == "retransmit":
			diags.error("loss", "there is nothing to retransmit: this row sends nothing", row.decl.timer.loc)
	for s in machine.states:
		if s.resend and s not in entered_by_sending:
			diags.error("loss", "state '%s' is 'resend', but nothing is sent on the way into it" % s.name, s.loc)


def sent_and_received(machine, diags):
	sent = {row.send for row in all_rows(machine)}
	received = {row.recv for row in machine.rows}
	for message in machine.messages.messages:
		for known, verb in ((sent, "sent"), (received, "received")):
			if message not in known:
				diags.warning("emit-gap", "message '%s' is never %s by machine '%s'" % (message.name, verb,
					machine.name), message.loc)
				break
