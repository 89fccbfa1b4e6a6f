#include "app/model/favourites.h"

#include <QSettings>
#include <QStringList>

#include "app/model/ids.h"
#include "nodes/core/registry.h"

namespace app {
namespace {

const QString key = QStringLiteral("favourites");

// Read once: a list asks for every row that it paints.
QStringList& stored() {
    static QStringList ids = QSettings().value(key).toStringList();
    return ids;
}

}  // namespace

std::vector<std::string> favourite_types() {
    std::vector<std::string> types;
    for (const QString& id : stored())
        if (nodes::find_node_type(id.toStdString())) types.push_back(id.toStdString());
    return types;
}

bool is_favourite(const std::string& type) { return stored().contains(qt(type)); }

void set_favourite(const std::string& type, bool on) {
    QStringList& ids = stored();
    ids.removeAll(qt(type));
    if (on) ids.append(qt(type));
    QSettings().setValue(key, ids);
}

}  // namespace app
