/** Characters a second. */
import type {Progress, TrainingPlan} from '../../../char_lm/steps';

/** Of the last second or so: a GPU compiles its shaders during the first steps. */
export function speedometer({batch, length}: TrainingPlan, from: number) {
  let mark = {step: from, seconds: 0};
  let speed = 0;
  return ({step, seconds}: Progress): number => {
    const took = seconds - mark.seconds;
    if (took < 1 && speed > 0) return speed;
    speed = ((step - mark.step) * batch * length) / took;
    mark = {step, seconds};
    return speed;
  };
}
