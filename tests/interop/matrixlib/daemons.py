"""The daemons, all with the same methods. Each knows one connection, "m", described anew for each case.

describe(case, other): raises Refused. initiate(), terminate(): raise Refused. counts(): the packets or octets of the newest
IPsec SA, (in, out), or None. gone(): no SA and no negotiation is left. forget(): whatever there is, away with it."""

import json
import os
import subprocess

from .vici import Vici

NAME = "m"
PATIENCE = 25		# seconds for a negotiation


class Refused(Exception):
	pass


def run(command, timeout=PATIENCE):
	"""(exit status, output)"""
	try:
		done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
			timeout=timeout, check=False)
		return done.returncode, done.stdout.decode(errors="replace")
	except subprocess.TimeoutExpired as e:
		return 124, (e.stdout or b"").decode(errors="replace") + "\nno end within %d s" % timeout


class Daemon:
	pretends = True		# where a case wants NAT-T: that it is behind a NAT; one of two ends does

	def __init__(self, lab, name, host, number):
		"""host: the laboratory's name of the gateway. number: the last octet of its address, the third of its client's."""
		self.lab, self.name, self.host = lab, name, host
		self.address = "192.0.2.%d" % number
		self.net, self.client = "10.0.%d.0/24" % number, "10.0.%d.9" % number
		self.folder = os.path.join(lab.folder, host)

	def target(self, case):
		"""What the other end pings."""
		return self.client if case["mode"] == "tunnel" else self.address

	def pings_from(self, case):
		return self.lab.pinger(self.host + "h" if case["mode"] == "tunnel" else self.host)


class Whacked(Daemon):
	"""What is common to those that a whack commands."""

	def ends(self, case, other, extra=()):
		words = []
		for end in (self, other):
			words += ["--to"] * bool(words) + ["--host", end.address, *extra]
			if case["mode"] == "tunnel":
				words += ["--client", end.net]
		return words

	def initiate(self):
		status, said = self.whack("--name", NAME, "--initiate")
		if status != 0:
			raise Refused(self.complaint(said))

	def terminate(self):
		self.whack("--name", NAME, "--terminate")

	def forget(self):
		self.whack("--name", NAME, "--delete")

	def complaint(self, said):
		lines = [line.strip() for line in said.splitlines() if line.strip()]
		return "%s: %s" % (self.name, " / ".join(lines[-3:]) or "no word")


class Pluto(Whacked):
	def whack(self, *words):
		return run([self.lab.whack, "--ctlbase", self.folder + "/pluto", *words])

	def describe(self, case, other):
		words = ["--delete", "--name", NAME, *self.ends(case, other, ("--updown", self.lab.updown)),
			"--" + case["auth"], "--keyingtries", "1", "--sendinterval", "2000", "--ike",
			 "-".join((case["cipher"], case["hash"], case["group"]))]
		if case["esp"] == "ah":
			words += ["--authenticate", "--ah", case["mac"]]
		else:
			words += ["--encrypt", "--esp", case["esp"] if case["mac"] == "-" else case["esp"] + "-" + case["mac"]]
		if case["pfs"] != "none":
			words += ["--pfs", "--pfsgroup", case["pfs"]]
		if case["natt"] == "natt" and self.pretends:
			words += ["--encapsulation", "yes"]
		status, said = self.whack(*words)
		if status != 0:
			raise Refused(self.complaint(said))

	def sas(self):
		status, said = self.whack("--status", "--json", "--name", NAME)
		found = json.loads(said)["connections"] if status == 0 else []
		return [sa for connection in found for sa in connection["sas"]]

	def counts(self):
		for sa in self.sas():
			if sa["kind"] == "ipsec" and sa["status"] == "established" and sa["carries_traffic"]:
				pair = sa["protocols"][0]
				if pair["in"] is None or pair["out"] is None:
					return None
				return pair["in"]["packets"], pair["out"]["packets"]
		return None

	def gone(self):
		return not self.sas()


class Libreswan(Whacked):
	GROUPS = {"ecp256": "dh19", "ecp384": "dh20", "ecp521": "dh21", "curve25519": "dh31"}
	GCM = {"gcm8": "aes_gcm_a", "gcm12": "aes_gcm_b", "gcm16": "aes_gcm_c"}

	def whack(self, *words):
		return run([self.lab.libreswan + "/whack", "--rundir", self.folder, *words])

	@staticmethod
	def hash(word):
		return word.replace("sha", "sha2_") if word in ("sha256", "sha384", "sha512") else word

	def esp(self, case):
		if case["esp"] == "ah":
			words = [self.hash(case["mac"])]
		elif case["mac"] == "-":
			bits, gcm = case["esp"][3:6], case["esp"][6:]
			words = [self.GCM[gcm] + bits, "null"]
		else:
			words = [case["esp"], self.hash(case["mac"])]
		if case["pfs"] != "none":
			words.append(case["pfs"])
		return "-".join(words)

	def describe(self, case, other):
		status, said = self.whack("--delete", "--ikev1", "--name", NAME, *self.ends(case, other, ("--updown", "/bin/true")),
			"--" + case["auth"], "--authenticate" if case["esp"] == "ah" else "--encrypt", *["--tunnel"] * (case["mode"] == "tunnel"),
			"--ike", "-".join((case["cipher"], self.hash(case["hash"]), self.GROUPS.get(case["group"], case["group"]))),
			"--esp", self.esp(case), *["--pfs"] * (case["pfs"] != "none"), "--dontrekey", "--keyingtries", "1",
			"--encaps", "yes" if case["natt"] == "natt" else "auto", "--retransmit-timeout", "15")
		if status != 0:
			raise Refused(self.complaint(said))

	def counts(self):
		_, said = self.whack("--trafficstatus")
		for line in said.splitlines():
			words = dict(w.split("=", 1) for w in line.replace(",", " ").split() if "=" in w)
			if "inBytes" in words:
				return int(words["inBytes"]), int(words["outBytes"])
		return None

	def gone(self):
		return "#" not in self.whack("--showstates")[1]


class Strongswan(Daemon):
	def __init__(self, *args):
		super().__init__(*args)
		self.vici = Vici(self.folder + "/vici")
		self.vici.request("load-shared", {"type": "ike", "data": self.lab.secret})
		self.vici.request("load-key", {"type": "rsa", "data": self.lab.read(self.host + ".private.pem")})

	def end(self, case, of):
		if case["auth"] == "psk":
			return {"auth": "psk", "id": of.address}
		return {"auth": "pubkey", "id": of.address, "pubkeys": [self.lab.read(of.host + ".public.pem")]}

	def describe(self, case, other):
		words = [] if case["esp"] == "ah" else [case["esp"]]
		words += [w for w in (case["mac"], case["pfs"]) if w not in ("-", "none")]
		tunnel = case["mode"] == "tunnel"
		child = {
			"mode": case["mode"], "local_ts": [self.net if tunnel else "dynamic"], "remote_ts": [other.net if tunnel else "dynamic"],
			"ah_proposals" if case["esp"] == "ah" else "esp_proposals": ["-".join(words)],
		}
		self.forget()
		answer = self.vici.request("load-conn", {NAME: {
			"version": "1", "local_addrs": [self.address], "remote_addrs": [other.address], "keyingtries": "1",
			"proposals": ["-".join((case["cipher"], case["hash"], case["group"]))], "encap": "yes" if case["natt"] == "natt" else "no",
			"local": self.end(case, self), "remote": self.end(case, other), "children": {NAME: child},
		}})
		self.check(answer)

	def check(self, answer):
		if answer.get("success") != "yes":
			raise Refused("%s: %s" % (self.name, answer.get("errmsg", "no word")))

	def initiate(self):
		self.check(self.vici.request("initiate", {"child": NAME, "timeout": str(1000 * PATIENCE)}, PATIENCE + 5))

	def terminate(self):
		self.vici.request("terminate", {"ike": NAME, "timeout": "5000"})

	def sas(self):
		return self.vici.stream("list-sas", "list-sa")

	def counts(self):
		for sa in self.sas():
			for child in next(iter(sa.values())).get("child-sas", {}).values():
				if child.get("state") == "INSTALLED":
					return int(child["packets-in"]), int(child["packets-out"])
		return None

	def gone(self):
		return not self.sas()

	def forget(self):
		if self.sas():
			self.vici.request("terminate", {"ike": NAME, "force": "yes", "timeout": "2000"})
		self.vici.request("unload-conn", {"name": NAME})
