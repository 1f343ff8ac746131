"""Local attention by PyTorch, for pytorch.ts: a line of JSON in, a line of JSON out.

    {"op": "load", "program": ..., "heads", "n", "d", "w", "what", "threads", "file"} -> {} or {"skip": reason}
    {"op": "time", "calls": 3} -> {"ms": of a call}
    {"op": "results", "file": path} -> {}, with [out] or [dq, dk, dv] in the file
"""

import json
import os
import sys
import time

answers = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)  # what a library prints is no answer


def local_attention(task):
    """The original, less its rotary embedding."""
    from local_attention import LocalAttention

    return LocalAttention(task['w'], causal=True, look_backward=1, use_rotary_pos_emb=False)


def flex_attention(task):
    """Compiled, with the same windows as a block mask."""
    import torch
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    n, w = task['n'], task['w']

    def visible(batch, head, query, key):
        return (key <= query) & (query // w - key // w <= 1)

    mask = create_block_mask(visible, None, None, n, n, device='cpu')
    compiled = torch.compile(flex_attention, dynamic=False)
    return lambda q, k, v: compiled(q[None], k[None], v[None], block_mask=mask)[0]


PROGRAMS = {'local-attention': local_attention, 'flex-attention': flex_attention}


def load(task):
    """-> a function that computes once and returns [out] or [dq, dk, dv], each [heads, n, d]."""
    import numpy
    import torch

    torch.set_num_threads(task['threads'])
    values = numpy.fromfile(task['file'], dtype=numpy.float32)
    q, k, v, dout = torch.from_numpy(values).reshape(4, task['heads'], task['n'], task['d']).unbind()
    attend = PROGRAMS[task['program']](task)

    def forward():
        with torch.no_grad():
            return [attend(q, k, v)]

    def training():
        inputs = [x.detach().requires_grad_() for x in (q, k, v)]
        return torch.autograd.grad(attend(*inputs), inputs, dout)

    return forward if task['what'] == 'forward' else training


def timed(compute, calls):
    start = time.perf_counter()
    for _ in range(calls):
        results = compute()
    return results, (time.perf_counter() - start) * 1000 / calls


def main():
    compute = results = None
    for line in sys.stdin:
        message = json.loads(line)
        answer = {}
        try:
            if message['op'] == 'load':
                compute = load(message)
                results = compute()
            elif message['op'] == 'time':
                results, answer['ms'] = timed(compute, message['calls'])
            else:
                with open(message['file'], 'wb') as file:
                    for result in results:
                        file.write(result.contiguous().numpy().tobytes())
        except ImportError as error:
            answer = {'skip': f'{error.name} is not installed (scripts/install_peers.sh does it)'}
        except Exception as error:
            first = f'{type(error).__name__}: {error}'.splitlines()[0]
            key = 'skip' if message['op'] == 'load' else 'error'
            answer = {key: f'it fails with {first}'}
        print(json.dumps(answer), file=answers, flush=True)


main()
