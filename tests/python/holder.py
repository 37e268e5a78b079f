#!/usr/bin/env python3
"""A process that holds and awaits lock files as Python's programs do.

usage: holder.py DIRECTORY PREFIX

The twin of the program `holder`: told the same way on standard input, it answers each
command with one line.

lock, try KEY           takes the lock of oslo.concurrency: `held NANOSECONDS`, or `busy`
shared, exclusive KEY   takes that of fasteners, as a reader or as the writer: the same
stay COUNT MICROSECONDS KEY
                        takes the lock so often, for so long: lines `in NANOSECONDS
                        NANOSECONDS`, when it asked and when it had the lock, and `out
                        NANOSECONDS` for each; `done`
release                 ends the latest hold: `released NANOSECONDS`
count COUNT FILE KEY    so often adds one to the number in a file, under the lock: `done`
hog MILLISECONDS MICROSECONDS KEY
                        takes the lock again and again for so long, and keeps the
                        processor busy for so long with each: `done COUNT`
time COUNT KEY          takes and releases the lock so often: `time NANOSECONDS`, of one
file KEY                names the lock's file: `file PATH`

The times are those of a clock that all processes share, taken just after a lock is
acquired and just before it is released. It ends when standard input does.
"""

import contextlib
import sys
import time

import fasteners
from oslo_concurrency import lockutils


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Holder:
    def __init__(self, directory, prefix):
        self.names = {'lock_path': directory, 'lock_file_prefix': prefix or None}
        self.holds = []

    def oslo(self, key, blocking=True):
        return lockutils.lock(key, external=True, do_log=False, blocking=blocking,
                              **self.names)

    def path(self, key):
        return lockutils.external_lock(key, **self.names).path.decode()

    def hold(self, lock):
        held = contextlib.ExitStack()
        try:
            held.enter_context(lock)
        except lockutils.AcquireLockFailedException:
            return 'busy'
        taken = now()
        self.holds.append(held)
        return f'held {taken}'

    def do_lock(self, key):
        return self.hold(self.oslo(key))

    def do_try(self, key):
        return self.hold(self.oslo(key, blocking=False))

    def do_shared(self, key):
        lock = fasteners.InterProcessReaderWriterLock(self.path(key))
        return self.hold(lock.read_lock())

    def do_exclusive(self, key):
        lock = fasteners.InterProcessReaderWriterLock(self.path(key))
        return self.hold(lock.write_lock())

    def do_release(self):
        released = now()
        self.holds.pop().close()
        return f'released {released}'

    def do_stay(self, count, microseconds, key):
        for _ in range(int(count)):
            asked = now()
            with self.oslo(key):
                print(f'in {asked} {now()}', flush=True)
                time.sleep(int(microseconds) / 1e6)
                print(f'out {now()}', flush=True)
        return 'done'

    def do_count(self, count, file, key):
        for _ in range(int(count)):
            with self.oslo(key):
                with open(file) as number:
                    text = number.read()
                with open(file, 'w') as number:
                    number.write(str(int(text) + 1))
        return 'done'

    def do_hog(self, milliseconds, microseconds, key):
        end = now() + int(milliseconds) * 1_000_000
        count = 0
        while now() < end:
            with self.oslo(key):
                enough = now() + int(microseconds) * 1000
                while now() < enough:
                    pass
            count += 1
        return f'done {count}'

    def do_time(self, count, key):
        start = now()
        for _ in range(int(count)):
            with self.oslo(key):
                pass
        return f'time {(now() - start) // int(count)}'

    def do_file(self, key):
        return f'file {self.path(key)}'


def main(directory, prefix):
    holder = Holder(directory, prefix)
    for line in sys.stdin:
        command, *words = line.rstrip('\n').split(' ')
        print(getattr(holder, f'do_{command}')(*words), flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
