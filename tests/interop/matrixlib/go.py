"""Goes through the cases within the laboratory of matrix-inside.sh."""

import argparse
import json
import os
import sys
import time

from . import daemons, trial
from .table import name
from .wire import Pinger, Wire

# In the order of the gateways of matrix-inside.sh.
GATEWAYS = (("klips", daemons.Pluto), ("xfrm", daemons.Pluto), ("strongswan", daemons.Strongswan), ("libreswan", daemons.Libreswan),
	("pluto", daemons.Pluto))


class Lab:
	def __init__(self, args):
		self.folder, self.prefix = args.folder, args.prefix
		self.whack, self.libreswan, self.secret = args.whack, args.libreswan, args.secret
		self.updown = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "matrix-updown")
		self.pingers = {}

	def pinger(self, host):
		if host not in self.pingers:
			self.pingers[host] = Pinger("%s-%s" % (self.prefix, host))
		return self.pingers[host]

	def read(self, key):
		with open(os.path.join(self.folder, "keys", key), "rb") as f:
			return f.read()


def main():
	p = argparse.ArgumentParser()
	for word in ("--folder", "--prefix", "--whack", "--libreswan", "--secret"):
		p.add_argument(word, required=True)
	p.add_argument("cases")
	p.add_argument("results")
	args = p.parse_args()
	lab = Lab(args)
	with open(args.cases, encoding="utf-8") as f:
		cases = json.load(f)
	ends = {}
	for number, (gateway, of) in enumerate(GATEWAYS, 1):
		ours = gateway in ("klips", "xfrm")
		ends[gateway] = of(lab, "our pluto" if ours else gateway, gateway, number)
		ends[gateway].pretends = not ours
	wire = Wire(args.prefix + "-wire")
	failed, before = 0, None
	with open(args.results, "w", encoding="utf-8") as out:
		for number, case in cases:
			began = time.monotonic()
			ours, peer = ends[case["kernel"]], ends[case["peer"]]
			# Who describes a connection anew forgets the old one; who does not has to be told.
			if before not in (None, (ours, peer)):
				trial.forget(*before)
			before = ours, peer
			reason = trial.run(case, wire, ours, peer)
			took = time.monotonic() - began
			failed += reason is not None
			print("%s %d - %s%s (%.1f s)" % ("ok" if reason is None else "not ok", number, name(case),
				"" if reason is None else ": " + reason, took), flush=True)
			out.write(json.dumps({"number": number, "case": case, "result": "passed" if reason is None else "failed", "reason": reason,
				"seconds": round(took, 2)}) + "\n")
			out.flush()
	return 1 if failed else 0


sys.exit(main())
