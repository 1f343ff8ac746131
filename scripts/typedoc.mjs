/**
 * What typedoc is told for site/docs: modules are called as they are imported, the title of a document is
 * its first heading, functions in an object are functions, a layer's members that override TF.js's are
 * TF.js's to explain, and each page leads back to the playground.
 */
import * as tf from '@tensorflow/tfjs';
import {Converter, JSX, ReflectionKind} from 'typedoc';

const MODULES = {index: 'tfjs-local-attention', node: 'tfjs-local-attention/node'};
const OF_TFJS = new Set([
  ...Object.getOwnPropertyNames(tf.layers.Layer.prototype),
  ...['className', 'fromConfig'],
]);

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const [part] = document.content;
    const [line, title] = /^# (.*)\n+/.exec(part.text);
    document.name = title;
    part.text = part.text.slice(line.length);
  });

  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({project}) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      module.name = MODULES[module.name];
    }
    for (const variable of project.getReflectionsByKind(ReflectionKind.Variable)) {
      asFunction(variable, project);
    }
    for (const layer of project.getReflectionsByKind(ReflectionKind.Class)) {
      for (const member of [...(layer.children ?? [])]) {
        const ours = member.kindOf(ReflectionKind.Constructor) || !OF_TFJS.has(member.name);
        if (!ours) project.removeReflection(member);
      }
    }
  });

  app.renderer.hooks.on('pageSidebar.begin', (context) => {
    const href = `${context.relativeURL('index.html')}`.replace(/index\.html$/, '../index.html');
    return JSX.createElement('p', null, JSX.createElement('a', {href}, 'The playground'));
  });
}

/** A function that is kept in an object, such as `layers.localMHA`, with what is said of the function. */
function asFunction(variable, project) {
  const declaration = variable.type?.declaration;
  if (!declaration?.signatures) return;
  variable.kind = ReflectionKind.Function;
  variable.signatures = declaration.signatures;
  for (const signature of variable.signatures) {
    Object.assign(signature, {name: variable.name, parent: variable});
  }
  delete variable.type;
  delete declaration.signatures;
  project.removeReflection(declaration);
}
