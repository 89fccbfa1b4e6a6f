// heddle convert: files of others, or of older versions, to today's form.
#include <filesystem>

#include "app/cli/command.h"
#include "app/cli/graph_options.h"
#include "gpu/base/error.h"
#include "gpu/io/checkpoint.h"

namespace app {
namespace {

std::string ending(const std::string& path) { return std::filesystem::path(path).extension().string(); }

int convert(const Arguments& arguments) {
    arguments.expect_count(2, 2, "IN and OUT");
    const std::string& from = arguments.positionals()[0];
    const std::string& to = arguments.positionals()[1];
    if (ending(to) == ".heddle") {
        load_graph(from).save(to);
    } else if (ending(to) == ".safetensors") {
        const gpu::Checkpoint checkpoint = gpu::open_checkpoint(from);
        gpu::save_safetensors(to, checkpoint.entries(), checkpoint.metadata());
    } else {
        throw gpu::Error(gpu::ErrorCode::Usage, "convert: expected OUT to end in .heddle or .safetensors, got '{}'",
                         to);
    }
    print_line("wrote " + to);
    return 0;
}

}  // namespace

REGISTER_COMMAND(convert, {.name = "convert",
                           .arguments = "IN OUT",
                           .summary = "Converts a graph or a model file",
                           .help = "To .heddle: a graph in canonical form, its nodes brought to today's versions.\n"
                                   "To .safetensors: the tensors of a PyTorch file, unchanged.",
                           .run = convert})

}  // namespace app
