"""Run the PyTorch original in float64 and write down what it answers.

    pip install -r scripts/requirements.txt
    python scripts/make_fixtures.py            # write test/fixtures/*.json, src/verify/*.generated.ts
    python scripts/make_fixtures.py --check    # compare with the committed files

Every case draws its numbers from a generator seeded by the case's own name, so adding a case
changes no other, and running again gives the same bytes. `--check` compares numbers, not bytes:
another CPU may sum in another order, which moves the last digits. It allows 1e-9 of the largest
value in each tensor and exits with 1 on anything more.

The fixtures stay where the original is right. Where it is not, the call is arranged so that it is:
`dim` is always passed (without it rotary is silently off), a bidirectional window that pads is
given a mask (without one it attends to the padding), and a mask always leaves each query a key
(without one it averages everything). The tests of the reference in `test/oracle` cover the rest.
"""

import argparse
import json
import platform
import random
import re
import sys
from importlib.metadata import version
from itertools import combinations
from math import prod
from pathlib import Path

import golden
import torch
from local_attention import LocalAttention
from local_attention.rotary import SinusoidalEmbeddings, apply_rotary_pos_emb
from local_attention.transformer import LocalMHA

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / 'test' / 'fixtures'
GOLDEN = ROOT / 'src' / 'verify' / 'golden.generated.ts'
TOLERANCE = 1e-9
NOISE = 1e-14  # inputs are of order one, so anything smaller is rounding and is written as 0
THETA = 10000.0

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


# Numbers


class Draw:
    """Multiples of 1/256: exact in float32, short in text."""

    def __init__(self, name):
        self.generator = random.Random(name)

    def below(self, limit):
        return int(self.generator.random() * limit)

    def tensor(self, *shape, limit=2.0, center=0.0):
        steps = int(limit * 256)
        values = [(self.below(2 * steps + 1) - steps) / 256 + center for _ in range(prod(shape))]
        return torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_()

    def mask(self, batch, n, visible):
        """About two thirds kept; a query left without a key gets itself back."""
        keep = torch.tensor([[self.below(3) > 0 for _ in range(n)] for _ in range(batch)])
        for row in keep:
            for i in range(n):
                if not any(row[j] and visible(i, j) for j in range(n)):
                    row[i] = True
        return keep


def visibility(config, window):
    causal, exact = config.get('causal', False), config.get('exactWindowsize', False)
    back = config.get('lookBackward', 1)
    forward = config.get('lookForward', 0 if causal else 1)

    def visible(i, j):
        if not -back <= j // window - i // window <= forward:
            return False
        if exact and not -forward * window <= i - j <= back * window:
            return False
        return j <= i or not causal

    return visible


def inverse_frequencies(dim):
    return THETA ** -(torch.arange(0, dim, 2, dtype=torch.float64) / dim)


def in_float64(embeddings, dim):
    """The original computes these two buffers in float32 and would carry their rounding (6e-8) into
    every answer. A fixture is the truth of the formula, so they are computed again in float64."""
    embeddings.inv_freq = inverse_frequencies(dim)
    embeddings.scale = (torch.arange(0, dim, 2, dtype=torch.float64) + 0.4 * dim) / (1.4 * dim)
    return embeddings


def snake(config):
    return {re.sub('[A-Z]', lambda c: '_' + c[0].lower(), key): config[key] for key in config}


# Local attention

TOKENS, HEAD = 12, 4  # what a case has unless it says otherwise


def local_attention_case(name, config, shape=None, v_width=None, mask=None, bias=None, window=None):
    """`shape` is the leading axes, n and d; `mask` the B of [B, n]; `bias` heads, or '2d'."""
    *leading, n, d = shape or (3, TOKENS, HEAD)
    draw, batch, width = Draw(name), prod(leading), window or config['windowSize']
    q, k = draw.tensor(*leading, n, d), draw.tensor(*leading, n, d)
    v = draw.tensor(*leading, n, v_width or d)
    keep = draw.mask(mask, n, visibility(config, width)) if mask else None
    attn_bias = None
    if bias:
        back = config.get('lookBackward', 1)
        forward = config.get('lookForward', 0 if config.get('causal') else 1)
        context = (1 + back + forward) * width
        attn_bias = draw.tensor(*([] if bias == '2d' else [bias]), width, context)

    out = run_local_attention(config, q, k, v, keep, attn_bias, window)
    dout = draw.tensor(*out.shape)
    (out * dout).sum().backward()

    case = dict(name=name, config=config, q=q, k=k, v=v, mask=keep, attnBias=attn_bias)
    case.update(windowSize=window, out=out, dout=dout.detach(), dq=q.grad, dk=k.grad, dv=v.grad)
    case.update(dAttnBias=None if attn_bias is None else attn_bias.grad)
    return {key: value for key, value in case.items() if value is not None}


def run_local_attention(config, q, k, v, mask, bias, window):
    d, n = q.shape[-1], q.shape[-2]
    attention = LocalAttention(**{'dim': d, **snake(config)})
    if attention.rel_pos is not None:
        in_float64(attention.rel_pos, d)
    if mask is None and config.get('autopad') and not config.get('causal'):
        mask = torch.ones(1, n, dtype=torch.bool)
    if window is not None and (config.get('autopad') or config.get('exactWindowsize')):
        # Given a window at the call, the original still pads to, and cuts the exact band by, the
        # one it was built with. Told afterwards, it uses the new one everywhere, and the scale
        # base of xpos stays as built: what a call override means.
        attention.window_size, window = window, None
    if bias is not None and bias.dim() == 2:
        bias = bias[None]
    return attention(q, k, v, mask=mask, attn_bias=bias, window_size=window)


def local_attention_cases():
    def case(name, shape=None, v_width=None, mask=None, bias=None, window=None, **config):
        config = {'windowSize': 4, **config}
        return local_attention_case(name, config, shape, v_width, mask, bias, window)

    xpos = dict(useXpos=True)
    yield case('defaults')
    yield case('causal', causal=True)
    for back in (0, 2, 3):
        yield case(f'look back {back}', lookBackward=back)
        yield case(f'causal, look back {back}', causal=True, lookBackward=back)
    for forward in (0, 2):
        yield case(f'look forward {forward}', lookForward=forward)
    yield case('own window only', lookBackward=0, lookForward=0)
    yield case('forward only', lookBackward=0, lookForward=1)
    yield case('shared qk', sharedQk=True)
    yield case('causal, shared qk', causal=True, sharedQk=True)
    yield case('causal, shared qk, own window only', causal=True, sharedQk=True, lookBackward=0)
    yield case('shared qk, alone in its window', (3, 5, 4), windowSize=1, sharedQk=True,
               lookBackward=0, lookForward=0)
    yield case('shared qk under an attention bias', sharedQk=True, bias=1)
    yield case('autopad', (3, 10, 4), autopad=True)
    yield case('autopad, causal', (3, 10, 4), autopad=True, causal=True)
    yield case('autopad, fewer tokens than a window', (3, 5, 4), windowSize=8, autopad=True)
    yield case('autopad, nothing to pad', autopad=True)
    yield case('autopad, masked', (4, 11, 4), autopad=True, mask=2)
    yield case('exact', exactWindowsize=True)
    yield case('exact, causal', exactWindowsize=True, causal=True)
    yield case('exact, causal, look back 2', exactWindowsize=True, causal=True, lookBackward=2)
    yield case('exact, look back 2, look forward 1', (2, 20, 4), exactWindowsize=True,
               lookBackward=2)
    yield case('exact, forward only', exactWindowsize=True, lookBackward=0)
    yield case('scale 0.7', scale=0.7)
    yield case('scale negative', scale=-0.3)
    yield case('scale zero', scale=0)
    yield case('scale large enough to saturate', scale=25, bias=1)
    yield case('rotary off', useRotaryPosEmb=False)
    yield case('rotary off, odd head size', (3, 12, 5), useRotaryPosEmb=False)
    yield case('rotary off, head size 1', (3, 12, 1), useRotaryPosEmb=False)
    yield case('head size 2', (3, 12, 2))
    yield case('head size 12', (1, 12, 12))
    yield case('head size named', dim=4)
    yield case('head size named by relPosEmbConfig', relPosEmbConfig=[4])
    yield case('xpos', **xpos)
    yield case('xpos, causal', causal=True, **xpos)
    yield case('xpos, scale base 3', xposScaleBase=3, **xpos)
    yield case('xpos, odd window', (3, 15, 6), windowSize=5, **xpos)
    yield case('xpos, look back 2, look forward 0', lookBackward=2, lookForward=0, **xpos)
    yield case('xpos, larger window at the call', (2, 18, 4), window=6, **xpos)
    yield case('xpos, smaller window at the call', window=3, **xpos)
    yield case('xpos, window at the call, causal, biased', (4, 18, 4), window=6, causal=True,
               bias=2, mask=2, **xpos)
    yield case('xpos, window at the call, autopad', (2, 16, 4), window=6, autopad=True, **xpos)
    yield case('xpos, window at the call, exact', (2, 18, 4), window=6, exactWindowsize=True,
               **xpos)
    yield case('xpos, window at the call, exact, causal', (2, 18, 4), window=6, causal=True,
               exactWindowsize=True, **xpos)
    yield case('xpos, window at the call, scale base 5', window=6, xposScaleBase=5, **xpos)
    yield case('mask for each row', mask=3)
    yield case('mask for all rows', mask=1)
    yield case('mask for each batch of heads', (6, 12, 4), mask=2)
    yield case('mask for each batch of heads, rank 4', (2, 3, 12, 4), mask=2, causal=True)
    yield case('bias for all heads', bias=1)
    yield case('bias for each head', (2, 3, 12, 4), bias=3)
    yield case('bias for each head, flattened', (6, 12, 4), bias=2)
    yield case('bias without a head axis', bias='2d')
    yield case('bias and mask that divide differently', (6, 12, 4), bias=3, mask=2)
    yield case('values wider than keys', v_width=7)
    yield case('values narrower than keys', v_width=1)
    yield case('rank 2', (12, 4))
    yield case('rank 4', (2, 3, 12, 4))
    yield case('rank 5', (2, 1, 3, 12, 4))
    yield case('window of one token', (3, 7, 4), windowSize=1)
    yield case('window of one token, causal', (3, 7, 4), windowSize=1, causal=True, lookBackward=3)
    yield case('window of one token, exact', (3, 7, 4), windowSize=1, exactWindowsize=True)
    yield case('window of one token, xpos', (3, 7, 4), windowSize=1, xposScaleBase=2, **xpos)
    yield case('one window', (3, 7, 4), windowSize=7)
    yield case('one window, causal, look back 3', (3, 7, 4), windowSize=7, causal=True,
               lookBackward=3)
    yield case('looks beyond both ends', (3, 6, 4), windowSize=3, lookBackward=3, lookForward=2)
    yield case('one token', (3, 1, 4), windowSize=1)
    yield case('forty-eight tokens', (1, 48, 4), windowSize=8, causal=True)
    for number, row in enumerate(covering(ATTENTION_FACTORS, attention_conflict)):
        yield paired_attention_case(number, row)


# Pairs: a greedy covering array, so that any two options meet in some case


def covering(factors, conflict):
    """Rows {factor: level} until each pair of levels that can meet has met."""
    draw, names = Draw('covering array'), list(factors)

    def pairs(row):
        return {((a, row[a]), (b, row[b])) for a, b in combinations(names, 2)}

    def complete(fixed):
        for _ in range(400):
            row = {f: fixed.get(f, factors[f][draw.below(len(factors[f]))]) for f in names}
            if not conflict(row):
                return row
        return None

    open_pairs = [
        ((a, x), (b, y)) for a, b in combinations(names, 2) for x in factors[a] for y in factors[b]
    ]
    while open_pairs:
        candidates = [complete(dict(open_pairs[0])) for _ in range(30)]
        candidates = [row for row in candidates if row]
        if not candidates:  # these two levels contradict each other
            open_pairs.pop(0)
            continue
        best = max(candidates, key=lambda row: len(pairs(row).intersection(open_pairs)))
        met = pairs(best)
        open_pairs = [pair for pair in open_pairs if pair not in met]
        yield best


ATTENTION_FACTORS = {
    'direction': ['causal', 'forward 0', 'forward 1', 'forward 2'],
    'back': [0, 1, 2, 3],
    'sharedQk': [False, True],
    'autopad': [False, True],
    'exact': [False, True],
    'scale': [None, 0.7],
    'position': ['rotary', 'none', 'xpos', 'xpos base'],
    'mask': [None, 'one', 'divides', 'all'],
    'bias': [None, 'one', 'heads', '2d'],
    'override': [False, True],
    'v width': ['same', 'other'],
    'd': ['even', 'odd'],
    'rank': [2, 3, 4, 5],
    'window': [1, 3, 4],
    'windows': [1, 3, 5],
}


def attention_conflict(row):
    xpos = row['position'].startswith('xpos')
    return (
        (row['override'] and not xpos)
        or (row['d'] == 'odd' and row['position'] != 'none')
        or (row['position'] == 'xpos' and row['window'] == 1)
        or (row['rank'] == 2 and (row['mask'] == 'divides' or row['bias'] == 'heads'))
    )


def paired_attention_case(number, row):
    window = row['window']
    override = {1: 2, 3: 5, 4: 3}[window] if row['override'] else None
    width = override or window
    n = width * row['windows'] - (width // 2 if row['autopad'] else 0)
    d = 3 if row['d'] == 'odd' else (2, 4)[number % 2]
    leading = {2: [], 3: [4], 4: [2, 2], 5: [2, 1, 2]}[row['rank']]
    batch = prod(leading)
    config = {'windowSize': window, 'lookBackward': row['back']}
    if row['direction'] == 'causal':
        config['causal'] = True
    else:
        config['lookForward'] = int(row['direction'][-1])
    for key, on in (
        ('sharedQk', row['sharedQk']),
        ('autopad', row['autopad']),
        ('exactWindowsize', row['exact']),
        ('useXpos', row['position'].startswith('xpos')),
    ):
        if on:
            config[key] = True
    if row['scale']:
        config['scale'] = row['scale']
    if row['position'] == 'none':
        config['useRotaryPosEmb'] = False
    if row['position'] == 'xpos base':
        config['xposScaleBase'] = 3
    return local_attention_case(
        f'pairs {number}',
        config,
        (*leading, n, d),
        d + 1 if row['v width'] == 'other' else d,
        {None: None, 'one': 1, 'divides': 2, 'all': batch}[row['mask']],
        {None: None, 'one': 1, 'heads': 2, '2d': '2d'}[row['bias']],
        override,
    )


# Multi-head attention


def local_mha_case(name, config, batch=2, n=11, mask=None, bias=None):
    draw = Draw(name)
    config = {'dim': 6, 'windowSize': 4, 'dimHead': 4, 'heads': 3, **config}
    dim, heads, d = config['dim'], config['heads'], config['dimHead']
    x = draw.tensor(batch, n, dim)
    attention = LocalMHA(**snake(config)).double()
    if attention.attn_fn.rel_pos is not None:
        in_float64(attention.attn_fn.rel_pos, d)
    weights = our_weights(draw, attention)

    exact = {**config, 'exactWindowsize': config.get('exactWindowsize', True)}
    keep = draw.mask(mask, n, visibility(exact, config['windowSize'])) if mask else None
    attn_bias = None
    if bias:
        back = config.get('lookBackward', 1)
        forward = config.get('lookForward', 0 if config.get('causal') else 1)
        width = config['windowSize']
        attn_bias = draw.tensor(bias, width, (1 + back + forward) * width)

    seen = keep
    if seen is None and not config.get('causal'):
        seen = torch.ones(1, n, dtype=torch.bool)
    out = attention(x, mask=seen, attn_bias=attn_bias)
    dout = draw.tensor(*out.shape)
    (out * dout).sum().backward()

    gradients = {key: transpose(key, weight.grad) for key, weight in weights.items()}
    weights = {key: transpose(key, weight) for key, weight in weights.items()}
    case = dict(name=name, config=config, weights=weights, x=x, mask=keep, attnBias=attn_bias)
    case.update(out=out, dout=dout.detach(), dx=x.grad, gradients=gradients)
    case.update(dAttnBias=None if attn_bias is None else attn_bias.grad)
    return {key: value for key, value in case.items() if value is not None}


def our_weights(draw, attention):
    """The original's parameters under our names, filled with drawn numbers."""
    weights = {}
    if attention.norm is not None:
        weights['norm/gamma'], weights['norm/beta'] = attention.norm.weight, attention.norm.bias
    weights['to_qkv/kernel'] = attention.to_qkv.weight
    if attention.qk_rmsnorm:
        weights['q_scale'], weights['k_scale'] = attention.q_scale, attention.k_scale
    if attention.to_v_gate is not None:
        gate = attention.to_v_gate[0]
        weights['to_v_gate/kernel'], weights['to_v_gate/bias'] = gate.weight, gate.bias
    weights['to_out/kernel'] = attention.to_out.weight
    for key, weight in weights.items():
        center = 1.0 if key in ('norm/gamma', 'q_scale', 'k_scale') else 0.0
        weight.data = draw.tensor(*weight.shape, limit=0.5, center=center).detach()
    return weights


def transpose(name, weight):
    """A kernel is [out, in] in PyTorch and [in, out] in TensorFlow.js."""
    return weight.T if name.endswith('/kernel') else weight


def local_mha_cases():
    def case(name, batch=2, n=11, mask=None, bias=None, **config):
        return local_mha_case(name, config, batch, n, mask, bias)

    yield case('defaults')
    yield case('causal', causal=True)
    yield case('prenorm', prenorm=True)
    yield case('qk rmsnorm', qkRmsnorm=True)
    yield case('qk rmsnorm, scale 3', qkRmsnorm=True, qkScale=3)
    yield case('qk scale without rmsnorm is ignored', qkScale=3)
    yield case('xpos', useXpos=True)
    yield case('xpos, scale base 3', useXpos=True, xposScaleBase=3, causal=True)
    yield case('block windows', exactWindowsize=False)
    yield case('block windows, causal', exactWindowsize=False, causal=True)
    yield case('gate values per head', gateValuesPerHead=True)
    yield case('look back 0', lookBackward=0)
    yield case('look back 2', lookBackward=2, causal=True)
    yield case('look forward 0', lookForward=0)
    yield case('look forward 2', lookForward=2)
    yield case('shared qk', sharedQk=True)
    yield case('rotary off', useRotaryPosEmb=False)
    yield case('mask for each row', mask=2)
    yield case('mask for all rows', mask=1, causal=True)
    yield case('bias for each head', bias=3)
    yield case('bias for all heads', bias=1, causal=True)
    yield case('one head', heads=1, dimHead=6)
    yield case('nothing to pad', n=12)
    yield case('fewer tokens than a window', n=3)
    yield case('window of one token', n=5, windowSize=1, causal=True)
    yield case('everything', prenorm=True, qkRmsnorm=True, gateValuesPerHead=True, useXpos=True,
               mask=2, bias=3, lookBackward=2)
    for number, row in enumerate(covering(MHA_FACTORS, mha_conflict)):
        yield paired_mha_case(number, row)


MHA_FACTORS = {
    'direction': ['causal', 'forward 0', 'forward 1', 'forward 2'],
    'back': [0, 1, 2],
    'prenorm': [False, True],
    'qkRmsnorm': [False, True],
    'blocks': [False, True],
    'gateValuesPerHead': [False, True],
    'sharedQk': [False, True],
    'position': ['rotary', 'none', 'xpos', 'xpos base'],
    'mask': [None, 1, 2],
    'bias': [None, 1, 2],
    'n': [3, 8, 10],
}


def mha_conflict(_row):
    return False


def paired_mha_case(number, row):
    config = {'dim': 5, 'windowSize': 4, 'heads': 2, 'lookBackward': row['back']}
    if row['direction'] == 'causal':
        config['causal'] = True
    else:
        config['lookForward'] = int(row['direction'][-1])
    for key in ('prenorm', 'qkRmsnorm', 'gateValuesPerHead', 'sharedQk'):
        if row[key]:
            config[key] = True
    if row['blocks']:
        config['exactWindowsize'] = False
    if row['position'] == 'none':
        config['useRotaryPosEmb'] = False
    if row['position'].startswith('xpos'):
        config['useXpos'] = True
    if row['position'] == 'xpos base':
        config['xposScaleBase'] = 3
    return local_mha_case(f'pairs {number}', config, 2, row['n'], row['mask'], row['bias'])


# Rotary


def rotary_table(name, dim, positions):
    """Rows of the original's table; `x` is one vector for each position, rotated by it."""
    embeddings = in_float64(SinusoidalEmbeddings(dim), dim)
    # only the length of what it is given matters: a view of one number, as long as needed
    angles, scale = embeddings(torch.zeros(1, 1).expand(max(positions) + 1, 1))
    angles = angles[positions]
    x = Draw(name).tensor(len(positions), dim)
    rotated, _ = apply_rotary_pos_emb(x, x, angles, scale)
    return dict(name=name, dim=dim, positions=torch.tensor(positions), cos=angles.cos(),
                sin=angles.sin(), x=x, rotated=rotated)


def xpos_table(name, dim, context, window, scale_base):
    """`q` stands in the last `window` slots of the context, `k` in all of them."""
    embeddings = in_float64(SinusoidalEmbeddings(dim, scale_base, use_xpos=True), dim)
    angles, scales = embeddings(torch.zeros(context, 1))
    draw = Draw(name)
    q, k = draw.tensor(window, dim), draw.tensor(context, dim)
    rotated_q, rotated_k = apply_rotary_pos_emb(q, k, angles, scales)
    return dict(name=name, dim=dim, context=context, window=window, scaleBase=scale_base,
                scales=scales, q=q, k=k, rotatedQ=rotated_q, rotatedK=rotated_k)


def rotary_tables():
    far = [999_983, 999_999, 1_000_000, 1_000_001, 1_048_576]
    yield rotary_table('first positions', 8, [0, 1, 2, 3, 5, 31])
    yield rotary_table('head size 2', 2, [0, 1, 7, 100])
    yield rotary_table('head size 12', 12, [0, 1, 17, 511, 4096])
    yield rotary_table('a million positions away', 8, far)
    yield rotary_table('a million positions away, head size 64', 64, far)


def xpos_tables():
    yield xpos_table('window 4, look back 1', 6, 8, 4, 2)
    yield xpos_table('window 5, look back 1, look forward 1', 4, 15, 5, 2)
    yield xpos_table('scale base 16', 8, 12, 4, 16)
    yield xpos_table('window 1, scale base 0.5', 2, 3, 1, 0.5)


# Files


def written(value):
    """JSON with ten significant digits, a tensor as {shape, data}."""
    if isinstance(value, torch.Tensor):
        numbers = ','.join(map(digits, value.flatten().tolist()))
        return f'{{"shape": {list(value.shape)}, "data": [{numbers}]}}'
    if isinstance(value, dict):
        return '{' + ', '.join(f'{json.dumps(key)}: {written(value[key])}' for key in value) + '}'
    return json.dumps(value)


def digits(x):
    return '0' if abs(x) < NOISE else f'{x:.10g}' if isinstance(x, float) else str(int(x))


def case_text(case):
    return '{\n' + ',\n'.join(f'{json.dumps(key)}: {written(case[key])}' for key in case) + '\n}'


def file_text(**sections):
    versions = {name: version(name) for name in ('local-attention', 'einops')}
    versions = {'python': '.'.join(platform.python_version_tuple()[:2]),
                'torch': version('torch').split('+')[0], **versions}
    parts = [f'"versions": {json.dumps(versions)}']
    for name, cases in sections.items():
        cases = list(cases)
        assert len({case['name'] for case in cases}) == len(cases), 'a name is used twice'
        parts.append(f'"{name}": [\n' + ',\n'.join(map(case_text, cases)) + '\n]')
    return '{\n' + ',\n'.join(parts) + '\n}\n'


def difference(committed, made, path):
    """The first place where two parsed files disagree, or None."""
    if isinstance(made, dict) and isinstance(committed, dict):
        if made.keys() != committed.keys():
            return f'{path}: keys {sorted(made.keys() ^ committed.keys())}'
        found = (difference(committed[key], made[key], f'{path}/{key}') for key in made)
        return next(filter(None, found), None)
    if isinstance(made, list) and isinstance(committed, list):
        if len(made) != len(committed):
            return f'{path}: {len(committed)} entries committed, {len(made)} made'
        if path.endswith('/data'):
            allowed = TOLERANCE * max(map(abs, made), default=0) + NOISE
            worst = max((abs(a - b) for a, b in zip(committed, made)), default=0)
            return f'{path}: differs by {worst:.3g}' if worst > allowed else None
        found = (difference(a, b, f'{path}/{i}') for i, (a, b) in enumerate(zip(committed, made)))
        return next(filter(None, found), None)
    return None if made == committed else f'{path}: {committed!r} committed, {made!r} made'


def disagreement(path, text):
    if not path.exists():
        return f'{path.name}: missing'
    committed, made = json.loads(path.read_text()), json.loads(text)
    if committed['versions'] != made['versions']:
        print(f'{path.name}: committed {committed["versions"]}, here {made["versions"]}')
    return difference({**committed, 'versions': None}, {**made, 'versions': None}, path.name)


def main():
    parser = argparse.ArgumentParser(description='Write the PyTorch fixtures, or check them.')
    parser.add_argument('--check', action='store_true', help='compare with the committed files')
    check = parser.parse_args().check

    files = {
        'local_attention.json': file_text(cases=local_attention_cases()),
        'local_mha.json': file_text(cases=local_mha_cases()),
        'rotary.json': file_text(tables=rotary_tables(), xpos=xpos_tables()),
    }
    failed = False
    for name, text in files.items():
        if check:
            problem = disagreement(FIXTURES / name, text)
            failed = failed or problem is not None
            print(problem or f'{name}: agrees')
        else:
            FIXTURES.mkdir(parents=True, exist_ok=True)
            (FIXTURES / name).write_text(text)
            cases = text.count('\n"name"')
            print(f'{name}: {cases} cases, {len(text) / 1024:.0f} KiB')

    text = golden.file_text(run_local_attention, visibility)
    if check:
        problem = golden.disagreement(GOLDEN, text)
        failed = failed or problem is not None
        print(problem or f'{GOLDEN.name}: agrees')
    else:
        GOLDEN.write_text(text)
        print(f'{GOLDEN.name}: {len(text) / 1024:.1f} KiB')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
