// Runs the named test object, or all of them: test_unit [stem [Qt Test options]].
#include <QGuiApplication>
#include <cstdio>
#include <filesystem>
#include <map>

#include "tests/support/test.h"

namespace tests {
namespace {

std::map<std::string, std::function<std::unique_ptr<QObject>()>>& registry() {
    static std::map<std::string, std::function<std::unique_ptr<QObject>()>> instance;
    return instance;
}

}  // namespace

bool add(const std::string& stem, std::function<std::unique_ptr<QObject>()> make) {
    return registry().emplace(stem, std::move(make)).second;
}

std::string shared_dir() {
    const std::filesystem::path path = std::filesystem::path(HEDDLE_SOURCE_DIR).parent_path() / "shared";
    return std::filesystem::is_directory(path) ? path.string() : std::string();
}

// Tiers that need another application class (app: QApplication) define it; the default draws without a display.
__attribute__((weak)) std::unique_ptr<QCoreApplication> make_application(int& argc, char** argv) {
    return std::make_unique<QGuiApplication>(argc, argv);
}

int run(int argc, char** argv) {
    const auto application = make_application(argc, argv);
    const std::string wanted = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
    QStringList options = QCoreApplication::arguments();
    if (!wanted.empty()) options.removeAt(1);
    if (!wanted.empty() && !registry().contains(wanted)) {
        std::fprintf(stderr, "no test object named %s in this executable\n", wanted.c_str());
        return 1;
    }
    int failures = 0;
    for (const auto& [stem, make] : registry())
        if (wanted.empty() || stem == wanted) failures += QTest::qExec(make().get(), options);
    return failures == 0 ? 0 : 1;
}

}  // namespace tests

int main(int argc, char** argv) { return tests::run(argc, argv); }
