"""A whole model by PyTorch, with the original LocalMHA, for whole/pytorch.ts, which tells it what to do:

    {"op": "load", "layers", "vocabulary", "reads", "batch", "length", "steps", "rate", "beta1", "beta2", "epsilon",
     "threads", "file"} -> {"losses": of the first steps + 1, "ms": of the last} or {"skip": reason}
    {"op": "time", "calls": 3} -> {"ms": of a step}

`layers` are those of whole/program.ts; the file has their weights as float32, and then the ids as int32.
"""

from conversation import serve, timed


def with_weights(module, **weights):
    """`module` with these values, by the names of its parameters; a matrix of TF.js's is transposed."""
    import torch

    with torch.no_grad():
        parameters = dict(module.named_parameters())
        assert parameters.keys() == weights.keys(), f'{sorted(parameters)} are not {sorted(weights)}'
        for name, values in weights.items():
            parameters[name].copy_(values)
    return module


def embedding(config, weights):
    from torch import nn

    table = nn.Embedding(config['input_dim'], config['output_dim'])
    return with_weights(table, weight=weights['embeddings'])


def dense(config, weights):
    from torch import nn

    kernel = weights['kernel']
    linear = nn.Linear(*kernel.shape, bias='bias' in weights)
    bias = {'bias': weights['bias']} if 'bias' in weights else {}
    with_weights(linear, weight=kernel.T, **bias)
    return nn.Sequential(linear, ACTIVATIONS[config.get('activation', 'linear')]())


def layer_normalization(config, weights):
    from torch import nn

    [size] = weights['gamma'].shape
    norm = nn.LayerNorm(size, eps=config['epsilon'])
    return with_weights(norm, weight=weights['gamma'], bias=weights['beta'])


def local_mha(config, weights):
    from local_attention import LocalMHA

    names = ['dim', 'window_size', 'dim_head', 'heads', 'causal', 'prenorm', 'look_backward', 'use_rotary_pos_emb']
    module = LocalMHA(**{name: config[name] for name in names}, look_forward=0)
    original = {'norm/gamma': 'norm.weight', 'norm/beta': 'norm.bias'}
    given = {
        original.get(name, name.replace('/kernel', '.weight')): values if values.dim() == 1 else values.T
        for name, values in weights.items()
    }
    return with_weights(module, **given)


def activation(name):
    def module():
        from torch import nn

        return getattr(nn, name)()

    return module


ACTIVATIONS = {'linear': activation('Identity'), 'relu': activation('ReLU'), 'gelu': activation('GELU')}

LAYERS = {
    'Embedding': embedding,
    'Dense': dense,
    'LayerNormalization': layer_normalization,
    'LocalMHA': local_mha,
    'ReLU': lambda config, weights: ACTIVATIONS['relu'](),
}


class Model:
    """What is loaded. `step` trains on the next batch and returns the loss before it."""

    def load(self, task):
        import numpy
        import torch

        torch.set_num_threads(task['threads'])
        with open(task['file'], 'rb') as file:

            def read(shape, kind):
                count = int(numpy.prod(shape))
                return torch.from_numpy(numpy.fromfile(file, kind, count)).reshape(shape)

            for layer in task['layers']:
                weights = {w['name']: read(w['shape'], numpy.float32) for w in layer['weights']}
                make = LAYERS.get(layer['kind'])
                layer['module'] = make and make(layer['config'], weights)
            ids = read([task['steps'], task['batch'], task['length'] + 1], numpy.int32).long()

        self.layers = task['layers']
        given = torch.nn.functional.one_hot(ids, task['vocabulary']).float() if task['reads'] == 'oneHot' else ids
        self.batches = [(x[:, :-1].contiguous(), y[:, 1:].reshape(-1)) for x, y in zip(given, ids)]
        self.at = 0
        parameters = [p for layer in self.layers if layer['module'] for p in layer['module'].parameters()]
        betas = (task['beta1'], task['beta2'])
        self.optimizer = torch.optim.Adam(parameters, task['rate'], betas, task['epsilon'])
        losses = [self.step() for _ in range(task['steps'])]
        last, ms = timed(self.step, 1)
        return {'losses': [*losses, last], 'ms': ms}

    def logits(self, x):
        outputs = {}
        for layer in self.layers:
            inputs = [outputs[name] for name in layer['inputs']]
            if layer['kind'] == 'InputLayer':
                output = x
            elif layer['kind'] == 'Add':
                output = sum(inputs[1:], inputs[0])
            else:
                output = layer['module'](*inputs)
            outputs[layer['name']] = output
        return output

    def step(self):
        import torch

        x, target = self.batches[self.at % len(self.batches)]
        self.at += 1
        logits = self.logits(x)
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def time(self, message):
        _, ms = timed(self.step, message['calls'])
        return {'ms': ms}


model = Model()
serve({'load': model.load, 'time': model.time})
