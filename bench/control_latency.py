"""The longest wait, in milliseconds, of a small request while pluto tells another whack about everything.

control_latency.py SOCKET [json]: one connection asks for the whole status, another one for the status of one connection,
again and again until the first has its answer.  Both go through the loop in which negotiations happen."""

import select
import socket
import struct
import sys
import time

VERSION, HELLO, FINISH, STATUS = 1, 1, 3, 20
NAME, JSON = 1, 2


def frame(message, *fields):
	body = b"".join(struct.pack(">BI", number, len(value)) + value for number, value in fields)
	return struct.pack(">IBB", len(body) + 2, VERSION, message) + body


class Whack:
	def __init__(self, path):
		self.s = socket.socket(socket.AF_UNIX)
		self.s.connect(path)
		self.rest = b""
		self.s.sendall(frame(HELLO, (1, b"bench")))
		self.until(HELLO)

	def pump(self, wanted):
		"""Reads what there is; true when a message of that kind was among it."""
		self.rest += self.s.recv(1 << 20)
		found = False
		at = 0
		while len(self.rest) - at >= 4:
			n = struct.unpack_from(">I", self.rest, at)[0]
			if len(self.rest) - at - 4 < n:
				break
			found |= self.rest[at + 5] == wanted
			at += 4 + n
		self.rest = self.rest[at:]
		return found

	def until(self, wanted):
		while not self.pump(wanted):
			pass


def main():
	big, small = Whack(sys.argv[1]), Whack(sys.argv[1])
	big.s.sendall(frame(STATUS, *([(JSON, b"\1")] if sys.argv[2:] else [])))
	worst, rounds, asked, done = 0.0, 0, 0.0, False
	while not done or asked:
		if not asked:
			asked = time.monotonic()
			small.s.sendall(frame(STATUS, (NAME, b"c1")))
		for s in select.select([small.s, big.s], [], [])[0]:
			if s is big.s:
				done |= big.pump(FINISH)
			elif small.pump(FINISH):
				worst = max(worst, time.monotonic() - asked)
				rounds += 1
				asked = 0.0
	if rounds < 3:
		print(f"only {rounds} small requests were answered meanwhile")
		return 1
	print(f"{1000 * worst:.1f}")
	return 0


sys.exit(main())
