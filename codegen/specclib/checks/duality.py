"""The product of initiator and responder over a FIFO, for each variant: every message sent must be accepted,
and when nothing is under way any more both ends must be final."""

LIMIT = 2000	# positions of one product


def check(machine, diags):
	names = [v[0] for v in machine.variants] or [None]
	failed, reached = {}, set()
	for variant in names:
		problem = explore(machine, variant, reached)
		if problem is not None:
			failed.setdefault(problem[:3], []).append((variant, problem))
	for found in failed.values():
		report(machine, [v for v, _ in found], found[0][1], diags)
	if not failed:
		uncovered(machine, names, reached, diags)


def explore(machine, variant, reached):
	"""None, or (row that sent, state, message, trace) of the first thing that goes wrong."""
	first = machine.initiate
	start = next(s for s in machine.states if s.start)
	trace = ("initiator sends %s" % first.send.name,)
	todo = [(first.next, start, ((first.send, "responder", first),), trace, first)]
	seen = set()
	while todo:
		initiator, responder, queue, trace, last = todo.pop(0)
		key = (initiator, responder, tuple((q[0], q[1]) for q in queue))
		if key in seen or len(seen) > LIMIT:
			continue
		seen.add(key)
		if not queue:
			for state in (initiator, responder):
				if not state.final:
					return last, state, None, trace
			continue
		message, to, sender = queue[0]
		state = initiator if to == "initiator" else responder
		rows = [r for r in state.rows if r.recv is message and (not r.variants or variant in r.variants)]
		reached.add((state, message, variant))
		if not rows:
			return sender, state, message, trace
		for row in rows:
			step = "%s %s -> %s" % (to, state.name, row.next.name)
			step += ", sends %s" % row.send.name if row.send else ""
			other = "responder" if to == "initiator" else "initiator"
			follow = queue[1:] + (((row.send, other, row),) if row.send else ())
			pair = (row.next, responder) if to == "initiator" else (initiator, row.next)
			todo.append(pair + (follow, trace + (step,), row))
	return None


def report(machine, variants, problem, diags):
	row, state, message, trace = problem
	when = " when %s = %s" % (machine.selects, ", ".join(variants)) if variants[0] is not None else ""
	note = [(" ; ".join(trace), None)]
	if message is None:
		diags.error("deadlock", "the %s ends in %s, which is not final%s" % (state.role, state.name, when),
			row.loc if row.decl is None else row.decl.next.loc, notes=note,
			hint="mark the state 'final', or let a message lead on from it")
		return
	diags.error("deadlock", "%s in %s cannot accept %s%s" % (state.role, state.name, message.name, when),
		row.decl.send.loc, notes=note, hint="add a row: %s %s ..." % (state.name, message.name))


def uncovered(machine, names, reached, diags):
	"""(state, message) handled for some variants only, where the product cannot show the rest impossible: a
	state that no run between two of us gets to."""
	visited = {s for s, _, _ in reached}
	for state in machine.states:
		if state in visited:
			continue
		for message in dict.fromkeys(r.recv for r in state.rows):
			rows = [r for r in state.rows if r.recv is message]
			missing = [n for n in names if not any(not r.variants or n in r.variants for r in rows)]
			if missing:
				diags.warning("uncovered", "%s on %s is not handled when %s = %s" % (state.name, message.name,
					machine.selects, ", ".join(missing)), rows[0].decl.state.loc,
					hint="add a row, or write '-' in the column '%s'" % machine.selects)
