#include "gpu/io/atomic_file.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <random>

#include "gpu/base/error.h"
#include "gpu/io/checkpoint.h"
#include "gpu/io/mapped_file.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

std::string read_all(const std::string& path) { return std::string(as_text(MappedFile(path).bytes())); }

QStringList names_in(const QString& folder) {
    return QDir(folder).entryList(QDir::Files | QDir::Hidden | QDir::System, QDir::Name);
}

// One tensor of `count` equal integers.
void save_version(const std::string& path, int version, std::size_t count) {
    const std::vector<std::int32_t> values(count, version);
    const TensorEntry entry{"version", Dtype::I32, {std::int64_t(count)}, std::as_bytes(std::span(values))};
    save_safetensors(path, std::span(&entry, 1), {{"version", std::to_string(version)}});
}

// A small file system of its own, unmounted at the end.
class SmallDisk {
public:
    SmallDisk(const QString& folder, const char* size) : folder_(folder.toStdString()) {
        QDir().mkpath(folder);
        mounted_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, (std::string("size=") + size).c_str()) == 0;
    }
    ~SmallDisk() {
        if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
    }
    bool mounted() const { return mounted_; }

private:
    std::string folder_;
    bool mounted_ = false;
};

}  // namespace

class AtomicFileTest : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;
    std::string at(const char* name) const { return folder_.filePath(name).toStdString(); }

    template <typename Call>
    static ErrorCode code_of(Call call) {
        try {
            call();
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::Cancelled;  // nothing was thrown
    }

private slots:
    void cleanup() {
        for (const QString& name : names_in(folder_.path())) QFile::remove(folder_.filePath(name));
    }

    void commit_replaces_the_file() {
        write_file(at("a"), std::string_view("old"));
        AtomicFile file(at("a"));
        file.append(std::string_view("new "));
        file.append(std::string_view("text"));
        QCOMPARE(file.size(), 8u);
        QCOMPARE(read_all(at("a")), std::string("old"));
        file.commit();
        QCOMPARE(read_all(at("a")), std::string("new text"));
        QCOMPARE(names_in(folder_.path()), QStringList{"a"});
        QVERIFY_THROWS_EXCEPTION(Error, file.commit());
        QVERIFY_THROWS_EXCEPTION(Error, file.append(std::string_view("x")));
    }

    void a_header_is_filled_in_at_last() {
        const auto bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
        AtomicFile file(at("a"));
        file.append(std::string_view("size ????, "));
        file.append(std::string_view("content"));
        file.write_at(5, bytes("0007"));
        QCOMPARE(file.size(), 18u);
        file.write_at(20, bytes("!"));  // what is between is zeros
        file.append(std::string_view("?"));
        QCOMPARE(file.size(), 22u);
        file.commit();
        QCOMPARE(read_all(at("a")), std::string("size 0007, content\0\0!?", 22));
    }

    void no_commit_leaves_nothing() {
        { AtomicFile(at("a")).append(std::string_view("half")); }
        QVERIFY(names_in(folder_.path()).isEmpty());
    }

    void a_mapping_survives_replacement() {
        write_file(at("a"), std::string_view("old"));
        const MappedFile mapped(at("a"));
        write_file(at("a"), std::string_view(""));
        QCOMPARE(std::string(as_text(mapped.bytes())), std::string("old"));
        QCOMPARE(MappedFile(at("a")).size(), 0u);
    }

    void two_saves_at_once_do_not_mix() {
        AtomicFile first(at("a")), second(at("a"));
        first.append(std::string_view("first"));
        second.append(std::string_view("second"));
        second.commit();
        first.commit();
        QCOMPARE(read_all(at("a")), std::string("first"));
        QCOMPARE(names_in(folder_.path()), QStringList{"a"});
    }

    void links_and_permissions_stay() {
        write_file(at("target"), std::string_view("old"));
        ::chmod(at("target").c_str(), 0640);
        QCOMPARE(::symlink(at("target").c_str(), at("link").c_str()), 0);
        write_file(at("link"), std::string_view("new"));
        QCOMPARE(read_all(at("target")), std::string("new"));
        QVERIFY(QFileInfo(folder_.filePath("link")).isSymLink());
        struct stat status {};
        QCOMPARE(::stat(at("target").c_str(), &status), 0);
        QCOMPARE(int(status.st_mode & 0777), 0640);
    }

    void long_names_fit() {
        const std::string name(250, 'n');
        write_file(at(name.c_str()), std::string_view("x"));
        QCOMPARE(names_in(folder_.path()).size(), 1);
    }

    void what_can_not_be_replaced_is_an_error() {
        QVERIFY(code_of([&] { AtomicFile("/dev/null"); }) == ErrorCode::Io);
        QVERIFY(code_of([&] { AtomicFile(folder_.path().toStdString()); }) == ErrorCode::Io);
        QVERIFY(code_of([&] { AtomicFile(at("none/a")); }) == ErrorCode::Io);
    }

    void a_read_only_file_is_kept() {
        if (::geteuid() == 0) QSKIP("root may write read-only files");
        write_file(at("a"), std::string_view("old"));
        ::chmod(at("a").c_str(), 0444);
        QVERIFY(code_of([&] { write_file(at("a"), std::string_view("new")); }) == ErrorCode::Io);
        QCOMPARE(read_all(at("a")), std::string("old"));
    }

    void what_can_not_be_read_is_an_error() {
        QVERIFY(code_of([&] { MappedFile(at("none")); }) == ErrorCode::MissingFile);
        QVERIFY(code_of([&] { MappedFile(folder_.path().toStdString()); }) == ErrorCode::BadFile);
        QVERIFY(code_of([&] { MappedFile("/dev/null"); }) == ErrorCode::BadFile);
        write_file(at("a"), std::string_view("12345678"));
        const MappedFile file(at("a"));
        QCOMPARE(file.slice(8, 0, "end").size(), 0u);
        QVERIFY(code_of([&] { file.slice(8, 1, "past"); }) == ErrorCode::BadFile);
        QVERIFY(code_of([&] { file.slice(UINT64_MAX, 2, "wrapped"); }) == ErrorCode::BadFile);
        QVERIFY(code_of([&] { file.slice(4, UINT64_MAX, "wrapped"); }) == ErrorCode::BadFile);
    }

    // A child saves version after version and is killed at a random moment.
    void a_kill_leaves_the_old_file_whole() {
        const std::string path = at("model.safetensors");
        constexpr std::size_t count = 1 << 20;  // 4 MiB
        save_version(path, 0, count);
        std::mt19937 random(7);
        int kills_inside_a_save = 0;
        for (int kill = 0; kill < 30; ++kill) {
            const pid_t child = ::fork();
            QVERIFY(child >= 0);
            if (child == 0) {
                try {
                    for (int version = 1;; ++version) save_version(path, version, count);
                } catch (...) {
                }
                ::_exit(1);
            }
            ::usleep(std::uniform_int_distribution(2000, 40000)(random));
            ::kill(child, SIGKILL);
            int status = 0;
            QCOMPARE(::waitpid(child, &status, 0), child);
            QVERIFY2(WIFSIGNALED(status), "the child stopped by itself: a save failed");

            const Checkpoint checkpoint = open_checkpoint(path);
            const TensorEntry* entry = checkpoint.find("version");
            QVERIFY(entry);
            std::vector<std::int32_t> values(count);
            QCOMPARE(entry->bytes.size(), values.size() * sizeof(values[0]));
            std::memcpy(values.data(), entry->bytes.data(), entry->bytes.size());
            const int version = std::stoi(checkpoint.metadata().at("version"));
            QVERIFY(std::all_of(values.begin(), values.end(), [&](int value) { return value == version; }));
            // Every save takes over what the last kill left, so there is never a second temporary.
            const qsizetype files = names_in(folder_.path()).size();
            QVERIFY(files <= 2);
            kills_inside_a_save += files == 2;
        }
        QVERIFY2(kills_inside_a_save > 0, "no kill hit a save: the test shows nothing");
        save_version(path, 1, 4);
        QCOMPARE(names_in(folder_.path()), QStringList{"model.safetensors"});
    }

    void a_full_disk_leaves_the_old_file_whole() {
        const SmallDisk disk(folder_.filePath("disk"), "1m");
        if (!disk.mounted()) QSKIP("no tmpfs may be mounted here");
        const std::string path = at("disk/model.safetensors");
        save_version(path, 1, 1000);
        const std::string before = read_all(path);
        QVERIFY(code_of([&] { save_version(path, 2, 1 << 20); }) == ErrorCode::Io);
        QCOMPARE(read_all(path), before);
        QCOMPARE(names_in(folder_.filePath("disk")), QStringList{"model.safetensors"});
    }
};

HEDDLE_TEST(atomic_file, AtomicFileTest)
#include "atomic_file.moc"
