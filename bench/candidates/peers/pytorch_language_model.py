"""The original LocalTransformer, for bench/language_model.ts, which tells it what to do:

    {"op": "load", "shape", "threads", "weights": file of safetensors, "ids", "rate"} -> {"losses": of the first steps}
                                                                                  or {"skip": reason}
    {"op": "train", "calls": 3} -> {"ms": of a step}
    {"op": "generate", "tokens": 256} -> {"ms": of all}, by its own generate with its cache
    {"op": "memory"} -> {"peakMiB": of what a step allocates, above what there is before it}
"""

from conversation import serve, timed


class LanguageModel:
    def load(self, task):
        import torch
        from local_attention import LocalTransformer
        from safetensors.torch import load_file

        torch.set_num_threads(task['threads'])
        shape = task['shape']
        self.model = LocalTransformer(
            num_tokens=shape['vocabulary'],
            max_seq_len=shape['length'],
            dim=shape['dim'],
            depth=shape['depth'],
            heads=shape['heads'],
            local_attn_window_size=shape['window'],
            num_residual_streams=shape['streams'],
        )
        self.model.load_state_dict(load_file(task['weights']), strict=True)
        self.ids = torch.tensor([task['ids']])
        self.prompt = self.ids[:, : shape['prompt']]
        self.optimizer = torch.optim.Adam(self.model.parameters(), task['rate'], eps=1e-7)
        return {'losses': [self.step() for _ in range(3)]}

    def step(self):
        loss = self.model(self.ids, return_loss=True)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.item()

    def train(self, message):
        _, ms = timed(self.step, message['calls'])
        return {'ms': ms}

    def generate(self, message):
        def write():
            return self.model.generate(self.prompt, message['tokens'], temperature=0.0)

        _, ms = timed(write, 1)
        return {'ms': ms}

    def memory(self, message):
        from torch.profiler import ProfilerActivity, profile

        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
            self.step()
        events = profiled.profiler.kineto_results.events()
        changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == '[memory]')
        live = most = 0
        for _, change in changes:
            live += change
            most = max(most, live)
        return {'peakMiB': most / 2**20}


model = LanguageModel()
serve({'load': model.load, 'train': model.train, 'generate': model.generate, 'memory': model.memory})
