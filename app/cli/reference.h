// The reference of all node types as a page, and the file format as a JSON schema: both from the declarations.
#pragma once

#include <QJsonObject>
#include <QString>

namespace app {

// One HTML page that needs nothing else: an index by category, and each node's sockets and parameters.
QString reference_html();

// JSON Schema (draft 2020-12) of graph files: what each node type's parameters may be. Unknown node types, fields and
// parameters of newer versions are allowed, as a document keeps them.
QJsonObject document_schema();

}  // namespace app
