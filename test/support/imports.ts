/** What the compiler says a file imports. */
import {posix} from 'node:path';
import ts from 'typescript';

export interface Import {
  /** A path from the root, without extension, where it was relative; else the package's name. */
  target: string;
  /** Leaves nothing in the compiled file. */
  typeOnly: boolean;
}

/** All imports and re-exports of `source`, the file at `path`, dynamic ones and requires too. */
export function importsOf(path: string, source: string): Import[] {
  const found: Import[] = [];
  const add = (name: ts.Node | undefined, typeOnly: boolean) => {
    if (!name) return;
    const text = ts.isStringLiteralLike(name) ? name.text : `something computed: ${name.getText()}`;
    const target = text.startsWith('.') ? posix.join(posix.dirname(path), text) : text;
    found.push({target, typeOnly});
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.isTypeOnly ?? false);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportEqualsDeclaration(node)) {
      const reference = node.moduleReference;
      if (ts.isExternalModuleReference(reference)) add(reference.expression, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument, true);
    } else if (ts.isCallExpression(node)) {
      const callee = node.expression;
      const isRequire = ts.isIdentifier(callee) && callee.text === 'require';
      if (isRequire || callee.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true));
  return found;
}
