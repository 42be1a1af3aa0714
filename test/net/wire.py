"""Joins two network namespaces by a wire that delays, reorders, loses and slows down IP packets.

`python3 wire.py NAMESPACE/ADDRESS NAMESPACE/ADDRESS DEVICE SHAPE`: in each namespace a tun device of that name and
address (MTU 1500); SHAPE is JSON with delayMs, jitterMs, loss (0 to 1), mbit (0: no limit), cutAfterBytes (0: never;
then every packet is dropped) and seed, for each direction. Says `ready`; the end of stdin ends it. What netem does in a
kernel that has it, and what a relay of TCP streams cannot do: the two ends speak TCP with each other, their RSTs and
FINs included.
"""

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_HEADER = 0x1001
MTU = 1500
QUEUE_BYTES = 64 * 1024
"""What waits for its turn at a limited rate; more is dropped, as a router does."""


def open_tun(end, device):
    namespace, address = end.split("/", 1)
    with open(f"/run/netns/{namespace}") as handle:
        if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TUN_WITHOUT_HEADER))
    for step in (f"addr add {address}/24 dev {device}", f"link set {device} mtu {MTU} up"):
        subprocess.run(["ip", *step.split()], check=True)
    return tun


class Direction:
    """Packets from one device to the other, each with the moment at which it is due."""

    def __init__(self, source, sink, shape):
        self.source, self.sink = source, sink
        self.delay, self.jitter = shape["delayMs"] / 1000, shape["jitterMs"] / 1000
        self.loss, self.seconds_a_byte = shape["loss"], 8e-6 / shape["mbit"] if shape["mbit"] else 0
        self.chance, self.cut_after = random.Random(shape["seed"]), shape["cutAfterBytes"] or float("inf")
        self.carried_bytes = 0
        self.sent_at = 0.0
        self.due = []
        self.count = 0

    def take(self, now):
        try:
            packet = os.read(self.source, MTU)
        except BlockingIOError:
            return
        self.carried_bytes += len(packet)
        waiting = max(0.0, self.sent_at - now)
        if self.seconds_a_byte and waiting / self.seconds_a_byte > QUEUE_BYTES:
            return
        self.sent_at = now + waiting + len(packet) * self.seconds_a_byte
        if self.chance.random() < self.loss:
            return
        arrival = self.sent_at + self.delay + self.chance.uniform(-self.jitter, self.jitter)
        self.count += 1
        heapq.heappush(self.due, (arrival, self.count, packet))

    def give(self, now):
        while self.due and self.due[0][0] <= now:
            try:
                os.write(self.sink, heapq.heappop(self.due)[2])
            except OSError:
                pass


def main():
    first, second, device, shape = sys.argv[1:]
    ends = [open_tun(end, device) for end in (first, second)]
    shape = json.loads(shape)
    directions = {ends[0]: Direction(*ends, shape), ends[1]: Direction(*reversed(ends), shape)}
    poll = select.epoll()
    for descriptor in (*ends, 0):
        poll.register(descriptor, select.EPOLLIN)
    print("ready", flush=True)
    while not any(direction.carried_bytes > direction.cut_after for direction in directions.values()):
        pending = [direction.due[0][0] for direction in directions.values() if direction.due]
        wait = max(0.0, min(pending) - time.monotonic()) if pending else None
        for descriptor, _event in poll.poll(wait):
            if descriptor in directions:
                directions[descriptor].take(time.monotonic())
            else:
                return
        for direction in directions.values():
            direction.give(time.monotonic())
    os.read(0, 1)


if __name__ == "__main__":
    main()
