plant() { # name file from to cmd
  cp "$2" /tmp/plant.bak; python3 - "$2" "$3" "$4" <<'P'
import sys
f,a,b=sys.argv[1:]; s=open(f).read(); assert a in s,(f,a); open(f,'w').write(s.replace(a,b,1))
P
  r=$(eval "$5" 2>&1 | grep -aE "^BAD|VALIDATION|failed|bad [1-9]" | head -1 | cut -c1-90); echo "$1 => ${r:-GOT AWAY}"; cp /tmp/plant.bak "$2"; }
K=kernels/webgpu
plant "remainder not taken in dkv" $K/backward/keys.ts 'slope -= select(vec4<f32>(0.0), remainders, ahead)' 'slope -= select(vec4<f32>(0.0), remainders * 0.0, ahead)' "BACKENDS=webgpu timeout 300 npx jest -i test/gradient/sure_rows -t fused"
plant "remainder not taken in dq" $K/backward/queries.ts '- share * finite' '- 0.0 * share * finite' "BACKENDS=webgpu timeout 300 npx jest -i test/gradient/sure_rows -t fused"
plant "edge off by one" $K/forward/text.ts 'base + MET > endSeenByAll' 'base + MET > endSeenByAll + 1u' "BACKENDS=webgpu timeout 300 npx jest -i test/webgpu/wide -t 37"
