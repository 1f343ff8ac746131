/**
 * What typedoc is told for site/docs: the title of a document is its first heading, and a layer's
 * members that override TF.js's are TF.js's to explain.
 */
import * as tf from '@tensorflow/tfjs';
import {Converter, ReflectionKind} from 'typedoc';

const LAYER = new Set([
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
    for (const layer of project.getReflectionsByKind(ReflectionKind.Class)) {
      for (const member of [...(layer.children ?? [])]) {
        const explained = member.kindOf(ReflectionKind.Constructor) || !LAYER.has(member.name);
        if (!explained) project.removeReflection(member);
      }
    }
  });
}
