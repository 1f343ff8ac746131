"""Local attention by PyTorch, for pytorch.ts, which tells it what to do:

    {"op": "load", "program": ..., "heads", "n", "d", "w", "what", "threads", "file"} -> {} or {"skip": reason}
    {"op": "time", "calls": 3} -> {"ms": of a call}
    {"op": "results", "file": path} -> {}, with [out] or [dq, dk, dv] in the file
"""

from conversation import serve, timed


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


class Attention:
    """What is loaded, and what it last computed."""

    def load(self, message):
        self.compute = load(message)
        self.computed = self.compute()
        return {}

    def time(self, message):
        self.computed, ms = timed(self.compute, message['calls'])
        return {'ms': ms}

    def results(self, message):
        with open(message['file'], 'wb') as file:
            for result in self.computed:
                file.write(result.contiguous().numpy().tobytes())
        return {}


attention = Attention()
serve({'load': attention.load, 'time': attention.time, 'results': attention.results})
