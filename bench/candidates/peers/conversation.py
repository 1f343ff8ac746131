"""A line of JSON in, a line of JSON out, for conversation.ts."""

import json
import os
import sys
import time


def serve(operations):
    """Answers {"op": name, ...} by operations[name](message) -> dict, with {"error"}, or {"skip"} while loading."""
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin:
        message = json.loads(line)
        try:
            answer = operations[message['op']](message)
        except ImportError as error:
            answer = {'skip': f'{error.name} is not installed (scripts/install_peers.sh does it)'}
        except Exception as error:
            first = f'{type(error).__name__}: {error}'.splitlines()[0]
            key = 'skip' if message['op'] == 'load' else 'error'
            answer = {key: f'it fails with {first}'}
        print(json.dumps(answer), file=answers, flush=True)


def timed(compute, calls):
    """-> the last result, and ms of a call"""
    start = time.perf_counter()
    for _ in range(calls):
        result = compute()
    return result, (time.perf_counter() - start) * 1000 / calls
