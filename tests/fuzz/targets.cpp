#include "tests/fuzz/targets.h"

#include <sys/mman.h>
#include <unistd.h>

#include <QByteArray>
#include <vector>

#include "gpu/base/error.h"
#include "gpu/io/checkpoint.h"
#include "nodes/codec/picture_texts.h"
#include "nodes/core/document.h"
#include "nodes/core/lowering.h"
#include "nodes/core/merge.h"
#include "nodes/core/validate.h"
#include "nodes/interchange/comfy_export.h"
#include "nodes/interchange/comfy_import.h"
#include "nodes/interchange/infotext.h"

namespace tests {
namespace {

using namespace nodes;

QByteArray text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), static_cast<qsizetype>(bytes.size())};
}

// Nothing that came from outside may make these go wrong once it is a document.
std::string broken_by(const Document& document) {
    const QByteArray text = document.to_json();
    const Document again = Document::from_json(text);
    if (!(again == document)) return "what is written reads as another document";
    if (again.to_json() != text) return "writing twice gives other bytes";

    const bool sound = !has_errors(validate(document));
    try {
        const Document low = lowered(document);
        validate(low);
        default_targets(low);
    } catch (const gpu::Error&) {
        if (sound) return "what validate() finds no fault in can not be lowered";
    }

    const Merged same = merge(document, document, document);
    if (!same.conflicts.empty()) return "merged with itself it has conflicts";
    if (!(same.document == document)) return "merged with itself it is another document";
    const Merged added = merge(Document(), document, document);
    if (!(added.document == document)) return "added on both sides it is another document";
    return {};
}

// A file of these bytes in memory.
class MemoryFile {
public:
    explicit MemoryFile(std::span<const std::byte> bytes) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
        whole_ = fd_ >= 0 && write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
    }
    ~MemoryFile() {
        if (fd_ >= 0) close(fd_);
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    bool whole() const { return whole_; }
    std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

private:
    int fd_ = -1;
    bool whole_ = false;
};

}  // namespace

std::string broken_by_document(std::span<const std::byte> bytes) {
    try {
        return broken_by(Document::from_json(text_of(bytes)));
    } catch (const gpu::Error& error) {
        return error.code() == gpu::ErrorCode::BadFile ? std::string() : std::string("refused as no bad file: ") + error.what();
    }
}

std::string broken_by_workflow(std::span<const std::byte> bytes) {
    const QByteArray text = text_of(bytes);
    try {
        const ComfyImport made = is_comfy_text(text) ? import_comfy(text) : import_infotext(text.toStdString());
        made.report.lines();
        made.report.to_json();
        if (const std::string broken = broken_by(made.document); !broken.empty()) return broken;
        const ComfyExport back = export_comfy(made.document);
        return {};
    } catch (const gpu::Error&) {
        return {};
    }
}

std::string broken_by_header(std::span<const std::byte> bytes) {
    try {
        picture_texts(bytes);
    } catch (const gpu::Error&) {
    }
    const MemoryFile file(bytes);
    if (!file.whole()) return {};
    try {
        const gpu::Checkpoint checkpoint = gpu::open_checkpoint(file.path());
        for (const gpu::TensorEntry& entry : checkpoint.entries()) {
            gpu::type_name(entry);
            // Every byte that an entry promises must be there.
            unsigned sum = 0;
            for (const std::byte byte : entry.bytes) sum += std::to_integer<unsigned>(byte);
            [[maybe_unused]] volatile unsigned seen = sum;
        }
    } catch (const gpu::Error&) {
    }
    return {};
}

}  // namespace tests
