"""Run the PyTorch original's LocalTransformer in float64 and write down what it answers.

    pip install -r scripts/requirements.txt
    python scripts/make_transformer_fixtures.py            # write test/fixtures/local_transformer.json
    python scripts/make_transformer_fixtures.py --check    # compare with the committed file

As make_fixtures.py does, with its draws, its tolerance and its rules. Every parameter is drawn, those
of the hyper-connections too, since a fresh model has zeros and ones where a trained one has anything.
A gradient of many numbers is kept as the sums of its rows and of its columns: a wrong one moves those.

What is left out, because the original cannot say it: dropout (attn_dropout never arrives, and random
numbers are another generator's), and a dynamic position bias where the context is not two windows
(RuntimeError, or distances that are wrong). Its network gets the distances in float64 here: they are
made in float32, in which a model of float64 raises.
"""

import argparse
import json
import sys

import torch
import torch.nn.functional as F
from local_attention import LocalTransformer
from make_fixtures import FIXTURES, NOISE, Draw, disagreement, file_text, in_float64, snake
from make_fixtures import visibility

FILE = FIXTURES / 'local_transformer.json'
BATCH, TOKENS = 2, 7  # no multiple of the window
SMALL = dict(numTokens=7, maxSeqLen=11, dim=5, depth=1, heads=3, dimHead=2, localAttnWindowSize=3,
             ffMult=2)
WHOLE = 7  # numbers of a gradient that is kept whole

BOTH_WAYS = dict(causal=False)
BLOCKS = dict(exactWindowsize=False)
ONE = dict(numResidualStreams=1)
TWO = dict(numResidualStreams=2)
XPOS = dict(useXpos=True, xposScaleBase=2)


def cases():
    def case(name, tokens=TOKENS, mask=None, **config):
        return transformer_case(name, {**SMALL, **config}, tokens, mask)

    yield case('defaults', depth=2)
    yield case('one stream, three blocks', depth=3, **ONE)
    yield case('blocks, a multiple of the window', tokens=6, **BLOCKS, **TWO)
    yield case('bidirectional', **BOTH_WAYS, **ONE)
    yield case('bidirectional, blocks', **BOTH_WAYS, **BLOCKS, **ONE)
    yield case('keys masked', mask='keys', **ONE)
    yield case('bidirectional, keys masked', mask='keys', **BOTH_WAYS, **TWO)
    yield case('token 0 masked, its labels ignored', mask='zeros', ignoreIndex=0, **TWO)
    yield case('look back 0', lookBackward=0, **ONE)
    yield case('look back 2', lookBackward=2, tokens=10, **ONE)
    yield case('look back 2, blocks', lookBackward=2, tokens=8, **BLOCKS, **ONE)
    yield case('look forward 0', lookForward=0, **BOTH_WAYS, **ONE)
    yield case('look forward 2', lookForward=2, **BOTH_WAYS, **ONE)
    yield case('xpos', useXpos=True, localAttnWindowSize=4, **ONE)
    yield case('xpos, scale base 2, blocks, bidirectional', **XPOS, **BLOCKS, **BOTH_WAYS, **ONE)
    yield case('dynamic position bias', useDynamicPosBias=True, depth=2, **TWO)
    yield case('dynamic position bias, blocks', useDynamicPosBias=True, **BLOCKS, **ONE)
    yield case('dynamic position bias, look forward 0', useDynamicPosBias=True, lookForward=0,
               **BOTH_WAYS, **ONE)
    yield case('qk rmsnorm', qkRmsnorm=True, **TWO)
    yield case('qk rmsnorm, scale 3', qkRmsnorm=True, qkScale=3, **ONE)
    yield case('gate values per head', gateValuesPerHead=True, **TWO)
    yield case('shared qk', sharedQk=True, **ONE)
    yield case('shared qk, blocks, bidirectional', sharedQk=True, **BLOCKS, **BOTH_WAYS, **ONE)
    yield case('hidden size of mult 4', ffMult=4, **ONE)
    yield case('hidden size of mult 0.7', ffMult=0.7, **ONE)
    yield case('one head', heads=1, dimHead=6, **ONE)
    yield case('more heads than dim', heads=7, **ONE)
    yield case('no absolute positions', absolutePositions=False, **ONE)
    yield case('encoder', numTokens=None)
    yield case('encoder, one stream, keys masked', mask='keys', numTokens=None, **ONE)
    yield case('inserted in the second block', insertLayers=[2], depth=2)
    yield case('inserted in both blocks, one stream', insertLayers=[1, 2], depth=2, **ONE)
    yield case('fewer tokens than a window', tokens=2, **TWO)
    yield case('one token', tokens=1)
    yield case('as many tokens as positions', tokens=11, **ONE)
    yield case('window of one token', localAttnWindowSize=1, **ONE)
    yield case('everything', mask='keys', depth=2, insertLayers=[1], lookBackward=2, qkRmsnorm=True,
               qkScale=5, gateValuesPerHead=True, sharedQk=True, ffMult=3, **XPOS, **TWO)


def transformer_case(name, config, tokens, mask_of):
    draw = Draw(name)
    model = build(config)
    fill(draw, model, config)
    # the last token of each row is a label and no input, as in return_loss
    ids = None if config['numTokens'] is None else ids_of(draw, config['numTokens'], tokens + 1)
    if mask_of == 'zeros':
        ids = 1 + ids % (config['numTokens'] - 1)
        ids[0, 2] = ids[1, 4:] = 0
    x = draw.tensor(BATCH, tokens, config['dim']) if ids is None else ids[:, :-1]
    mask = mask_for(draw, mask_of, config, x)
    seen = mask
    if seen is None and not config.get('causal', True):
        seen = torch.ones(BATCH, tokens, dtype=torch.bool)  # else the padding is attended to

    output = model(x, mask=seen)
    case = dict(name=name, config=config, weights=dict(model.named_parameters()), mask=mask)
    if ids is None:
        dout = draw.tensor(*output.shape).detach()
        loss = (output * dout).sum()
        case.update(x=x, dout=dout)
    else:
        labels = ids[:, 1:]
        loss = F.cross_entropy(output.mT, labels, ignore_index=model.ignore_index)
        assert torch.equal(loss, model(ids, mask=seen, return_loss=True)), name
        case.update(ids=ids)
    loss.backward()
    case.update(output=exact(output), loss=exact(loss))
    case.update(gradients={key: kept(p.grad) for key, p in model.named_parameters()})
    if ids is None:
        case.update(dx=x.grad)
    if config.get('absolutePositions') is False:
        del case['weights']['pos_emb.weight'], case['gradients']['pos_emb.weight']
    return {key: value for key, value in case.items() if value is not None}


def build(config):
    options = {key: value for key, value in config.items() if key != 'absolutePositions'}
    options = snake(options)
    inserted = options.pop('insert_layers', None)
    if inserted:
        options['global_attn_layer'] = torch.nn.Linear(config['dim'], config['dim'])
        options['layers_insert_global_attn'] = tuple(inserted)
    model = LocalTransformer(**options).double()
    for attention, _ in model.layers:
        rotary = attention.branch.attn_fn.rel_pos
        if rotary is not None:
            in_float64(rotary, config['dimHead'])
    if model.dynamic_pos_bias is not None:
        model.dynamic_pos_bias.mlp.register_forward_pre_hook(lambda _, args: (args[0].double(),))
    return model


GAINS = ('norm.weight', 'branch.0.weight', 'to_logits.0.weight', 'q_scale', 'k_scale')


def fill(draw, model, config):
    """Gains about 1, mixtures of any sign, matrices that neither grow nor shrink what they are given."""
    for name, parameter in model.named_parameters():
        limit, center = 0.7, 0.0
        if name.endswith(GAINS):
            limit, center = 0.5, 1.0
        elif name.endswith(('alpha_scale', 'beta_scale')):
            limit, center = 0.25, 0.5
        elif name.endswith(('static_alpha', 'static_beta', 'token_emb.weight')):
            limit = 1.0
        values = draw.tensor(*parameter.shape, limit=limit, center=center).detach()
        if name == 'pos_emb.weight' and config.get('absolutePositions') is False:
            values = torch.zeros_like(values)
        parameter.data = (32 * values).round() / 32  # short in text


def ids_of(draw, vocabulary, tokens):
    return torch.tensor([[draw.below(vocabulary) for _ in range(tokens)] for _ in range(BATCH)])


def mask_for(draw, kind, config, x):
    """Of the inputs; each query keeps a key, since without one the original averages everything."""
    if kind is None:
        return None
    if kind == 'zeros':
        return x != 0
    attention = {'exactWindowsize': True, 'causal': True, **config}
    return draw.mask(BATCH, x.shape[1], visibility(attention, config['localAttnWindowSize']))


def kept(gradient):
    """A gradient, or of a larger one, a matrix, the sums of its rows and of its columns."""
    if gradient.numel() <= WHOLE:
        return gradient
    return dict(rows=gradient.sum(1), columns=gradient.sum(0))


def exact(x):
    """With the digits that a test to 1e-12 needs."""
    data = [0 if abs(value) < NOISE else float(f'{value:.14g}') for value in x.flatten().tolist()]
    return dict(shape=list(x.shape), data=data)


def main():
    parser = argparse.ArgumentParser(description='Write the transformer fixtures, or check them.')
    parser.add_argument('--check', action='store_true', help='compare with the committed file')
    text = file_text(cases=cases())
    if not parser.parse_args().check:
        FILE.write_text(text)
        print(f'{FILE.name}: {len(json.loads(text)["cases"])} cases, {len(text) / 1024:.0f} KiB')
        return
    problem = disagreement(FILE, text)
    print(problem or f'{FILE.name}: agrees')
    sys.exit(1 if problem else 0)


if __name__ == '__main__':
    main()
