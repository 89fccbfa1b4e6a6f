// The file format as a JSON schema, from the declarations of the nodes.
#pragma once

#include <QJsonObject>

namespace nodes {

// JSON Schema (draft 2020-12) of graph files: what each node type's parameters may be. Unknown node types, fields and
// parameters of newer versions are allowed, as a document keeps them.
//
// It says what one look at the text can tell, and is for other programs: editors that complete and check, generators. Heddle does
// not read it. Reading a document or validate() refuses what it refuses, and more (links, types, cycles, loops); only of what
// does not run, muted nodes and subgraphs without a use, validate() does not judge the parameters.
QJsonObject document_schema();

}  // namespace nodes
