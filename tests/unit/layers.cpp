// The layers of the source tree: includes point down only, and gpu/ knows no Qt.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <vector>

#include "tests/support/test.h"

namespace fs = std::filesystem;

namespace {

// What a folder may include, itself apart. gpu/graph/autocast.cpp, autodiff.cpp, long_reductions.cpp and the ops may name the public functions of gpu/ops.h.
const std::map<std::string, std::vector<std::string>> allowed{
    {"gpu/base", {}},
    {"gpu/vulkan", {"gpu/base"}},
    {"gpu/graph", {"gpu/base", "gpu/ops.h"}},
    {"gpu/ops", {"gpu/base", "gpu/graph", "gpu/ops.h"}},
    {"gpu/plan", {"gpu/base", "gpu/graph"}},
    {"gpu/io", {"gpu/base", "gpu/graph"}},
    {"gpu/run", {"gpu/base", "gpu/graph", "gpu/ops.h", "gpu/plan", "gpu/vulkan"}},
    {"gpu/nn", {"gpu/base", "gpu/graph", "gpu/ops.h", "gpu/ops", "gpu/io", "gpu/run"}},
    {"gpu/train", {"gpu/base", "gpu/graph", "gpu/ops.h", "gpu/io", "gpu/run"}},
    {"nodes/core", {"gpu"}},
    {"nodes/types", {"nodes/core", "nodes/sampling", "gpu"}},
    {"nodes/sampling", {"gpu"}},
    {"nodes/codec", {"nodes/core", "nodes/types", "gpu"}},
    {"nodes/models", {"nodes/core", "nodes/types", "nodes/sampling", "gpu"}},
    {"nodes/interchange", {"nodes/core", "nodes/sampling", "nodes/codec", "nodes/models", "gpu"}},
    {"nodes/training", {"nodes/core", "nodes/types", "nodes/sampling", "nodes/models", "gpu"}},
    {"nodes", {"nodes/core", "nodes/types", "nodes/models", "nodes/sampling", "nodes/codec", "nodes/training", "gpu"}},
    {"app/model", {"nodes/core", "nodes/types", "nodes/interchange", "gpu"}},
    {"app/canvas", {"app/model", "nodes/core", "gpu"}},
    {"app/panels", {"app/model", "app/canvas", "nodes/core", "nodes/types", "nodes/interchange", "nodes/reference", "gpu"}},
};

// The longest row of `allowed` that the file lies in, or nothing.
std::string layer_of(const std::string& file) {
    std::string best;
    for (const auto& [layer, below] : allowed)
        if (file.starts_with(layer + "/") && layer.size() > best.size()) best = layer;
    return best;
}

std::string folder_of(const std::string& file) { return file.substr(0, file.rfind('/')); }

}  // namespace

class LayersTest : public QObject {
    Q_OBJECT
private slots:
    void includes_point_down() {
        const std::regex quoted("^#include \"([^\"]+)\""), angled("^#include <(Q[A-Z][A-Za-z]*)>");
        QStringList wrong;
        int seen = 0;
        for (const char* root : {"gpu", "nodes", "app"})
            for (const auto& entry : fs::recursive_directory_iterator(fs::path(HEDDLE_SOURCE_DIR) / root)) {
                const std::string extension = entry.path().extension().string();
                if (extension != ".cpp" && extension != ".h") continue;
                const std::string file = fs::relative(entry.path(), HEDDLE_SOURCE_DIR).generic_string(), layer = layer_of(file);
                std::ifstream source(entry.path());
                for (std::string line; std::getline(source, line);) {
                    std::smatch match;
                    if (std::regex_search(line, match, angled) && file.starts_with("gpu/"))
                        wrong << QString::fromStdString(file + " includes Qt: " + match[1].str());
                    if (layer.empty() || !std::regex_search(line, match, quoted)) continue;
                    ++seen;
                    const std::string target = match[1];
                    const auto& below = allowed.at(layer);
                    const bool own = folder_of(target) == folder_of(file) || (layer != "nodes" && target.starts_with(layer + "/"));
                    const bool down = std::any_of(below.begin(), below.end(), [&](const std::string& one) {
                        return target == one || target.starts_with(one + "/");
                    });
                    if (!own && !down && !target.ends_with(".moc")) wrong << QString::fromStdString(file + " includes " + target);
                }
            }
        QVERIFY(seen > 200);
        QVERIFY2(wrong.isEmpty(), qPrintable("\n" + wrong.join("\n")));
    }
};

HEDDLE_TEST(layers, LayersTest)
#include "layers.moc"
