/** Local attention as an ONNX model: the windowed graph that a converter would make, written by hand. */
import {Workload} from '../../workloads';

const MASKED_SCORE = -1e9;
const FLOAT = 1;
const INT64 = 7;
const IR_VERSION = 8;
const OPSET = 17;

/** What is used of onnx.proto. */
const SCHEMA = `
  syntax = "proto2";
  message Attribute { optional string name = 1; optional int64 i = 3; repeated int64 ints = 8; optional int32 type = 20; }
  message Node { repeated string input = 1; repeated string output = 2; optional string op_type = 4; repeated Attribute attribute = 5; }
  message Tensor { repeated int64 dims = 1; optional int32 data_type = 2; optional string name = 8; optional bytes raw_data = 9; }
  message Dimension { optional int64 dim_value = 1; }
  message Shape { repeated Dimension dim = 1; }
  message TensorType { optional int32 elem_type = 1; optional Shape shape = 2; }
  message Type { optional TensorType tensor_type = 1; }
  message ValueInfo { optional string name = 1; optional Type type = 2; }
  message Graph { repeated Node node = 1; optional string name = 2; repeated Tensor initializer = 5; repeated ValueInfo input = 11; repeated ValueInfo output = 12; }
  message Opset { optional string domain = 1; optional int64 version = 2; }
  message Model { optional int64 ir_version = 1; optional Graph graph = 7; repeated Opset opset_import = 8; }
`;

/** What is used of protobufjs. */
export interface Protobuf {
  parse(schema: string): {root: {lookupType(name: string): MessageType}};
}

interface MessageType {
  fromObject(fields: object): object;
  encode(message: object): {finish(): Uint8Array};
}

/** The bytes of a model with inputs q, k, v and output out, each [heads, n, d]. */
export function onnxModel({parse}: Protobuf, workload: Workload): Uint8Array {
  const {heads, n, d} = workload;
  const type = {tensorType: {elemType: FLOAT, shape: {dim: [heads, n, d].map((dimValue) => ({dimValue}))}}}; // prettier-ignore
  const named = (name: string) => ({name, type});
  const graph = {
    name: 'local_attention',
    node: nodes(),
    initializer: constants(workload),
    input: ['q', 'k', 'v'].map(named),
    output: [named('out')],
  };
  const model = {irVersion: IR_VERSION, graph, opsetImport: [{domain: '', version: OPSET}]};
  const Model = parse(SCHEMA).root.lookupType('Model');
  return Model.encode(Model.fromObject(model)).finish();
}

function nodes() {
  const node = (opType: string, input: string, output: string, attribute: object[] = []) => {
    return {opType, input: input.split(' '), output: [output], attribute};
  };
  const axis = (i: number) => [{name: 'axis', i, type: 2}];
  const swap = [{name: 'perm', ints: [0, 1, 3, 2], type: 7}];
  return [
    node('Mul', 'q scale', 'scaled'),
    node('Reshape', 'scaled windows', 'queries'), // [heads, windows, w, d]
    node('Reshape', 'k windows', 'ownRows'),
    node('Transpose', 'ownRows', 'ownKeys', swap), // [heads, windows, d, w]
    node('Slice', 'ownKeys first last second', 'earlierKeys'),
    node('Concat', 'noKeys earlierKeys', 'previousKeys', axis(1)),
    node('Concat', 'previousKeys ownKeys', 'keys', axis(3)), // [heads, windows, d, 2w]
    node('Reshape', 'v windows', 'ownValues'),
    node('Slice', 'ownValues first last second', 'earlierValues'),
    node('Concat', 'noValues earlierValues', 'previousValues', axis(1)),
    node('Concat', 'previousValues ownValues', 'values', axis(2)), // [heads, windows, 2w, d]
    node('MatMul', 'queries keys', 'scores'),
    node('Add', 'scores mask', 'masked'),
    node('Softmax', 'masked', 'weights', axis(-1)),
    node('MatMul', 'weights values', 'attended'),
    node('Reshape', 'attended sequence', 'out'),
  ];
}

function constants({heads, n, d, w}: Workload) {
  const windows = n / w;
  return [
    floats('scale', [], Float32Array.of(d ** -0.5)),
    floats('mask', [windows, w, 2 * w], mask(windows, w)),
    floats('noKeys', [heads, 1, d, w], new Float32Array(heads * d * w)),
    floats('noValues', [heads, 1, w, d], new Float32Array(heads * d * w)),
    integers('windows', [heads, windows, w, d]),
    integers('sequence', [heads, n, d]),
    integers('first', [0]),
    integers('last', [windows - 1]),
    integers('second', [1]), // the axis
  ];
}

function mask(windows: number, w: number): Float32Array {
  return Float32Array.from({length: windows * w * 2 * w}, (_, index) => {
    const key = (index % (2 * w)) - w;
    const query = Math.floor(index / (2 * w)) % w;
    const first = index < w * 2 * w;
    return key > query || (first && key < 0) ? MASKED_SCORE : 0;
  });
}

function floats(name: string, dims: number[], values: Float32Array) {
  return {name, dims, dataType: FLOAT, rawData: new Uint8Array(values.buffer)};
}

function integers(name: string, values: number[]) {
  const rawData = new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
  return {name, dims: [values.length], dataType: INT64, rawData};
}
