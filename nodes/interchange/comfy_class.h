// Which Heddle nodes a ComfyUI node becomes: a table with one entry a class. To support one more, write its entry into
// the comfy_classes_*.cpp that it belongs to; import, export, tests and the docs page read it from there.
//
//     {.name = "VAEDecode",
//      .inputs = "samples:LATENT vae:VAE",
//      .outputs = "IMAGE",
//      .parts = {{"vae.decode", "decode", {link("samples", "latent"), link("vae", "vae"), out("IMAGE", "image")}}}},
//
// `inputs` are in the order of ComfyUI's own declaration, because its files store widgets by their place in it.
#pragma once

#include <QJsonValue>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nodes {

// An input of a class: a socket, or a widget with its value.
struct ComfyField {
    std::string name;
    std::string type;      // "MODEL"; of widgets INT, FLOAT, STRING, BOOLEAN or COMBO
    QJsonValue initial{};  // of widgets; undefined where a file must say it
    bool optional = false;
    bool control = false;  // files store what happens to it after a run ("randomize") behind its value
    bool upload = false;   // files store the name of an upload button behind its value

    bool widget() const;
};

// Reads "model:MODEL seed:INT!=0 ?mask:MASK image:COMBO^": type after the colon, then ! for control, ^ for upload, =
// and the initial value; ? before the name of an optional one. Throws Error{Failure} for anything else.
std::vector<ComfyField> comfy_fields(const std::string& text);

// What a rule may see of the ComfyUI node that it translates.
class ComfyValues {
public:
    virtual ~ComfyValues() = default;
    // An input's value: the widget's, that of a constant linked into it, or the class's initial one.
    virtual QJsonValue value(const std::string& input) const = 0;
    virtual bool linked(const std::string& input) const = 0;
    // Whether the file is the editor's, whose prompts may still hold {this|that}.
    virtual bool template_prompts() const = 0;
    // ComfyUI's own folder, where its models lie; empty: file names stay as they are.
    virtual std::string folder() const = 0;
    // Tells the user that a value was changed or left out.
    virtual void adjust(const std::string& what) = 0;
};

// From ComfyUI's value to the parameter's, and back for export. Undefined: not set. Empty functions leave values as
// they are.
struct ComfyConversion {
    std::function<QJsonValue(const QJsonValue&, ComfyValues&)> forward{};
    // Undefined: ComfyUI has no such value.
    std::function<QJsonValue(const QJsonValue&)> back{};
};

using ComfyTest = std::function<bool(const ComfyValues&)>;

struct ComfyRule {
    enum class Kind {
        Link,    // input `from` is linked into socket `to`
        Value,   // input `from` sets parameter `to`; where it is linked and `socket` is named, that is linked
        Fixed,   // parameter `to` is `fixed`
        Output,  // output `from` is socket `to`
        Fold,    // input `from` brings the rules of a class without a node, such as a sampler's choice
        Wire,    // socket `from` of the part named `part` is linked into socket `to` of this one
        Above    // parameter `to` is value `socket` of the nearest class `part` that input `from` comes through
    };
    Kind kind = Kind::Link;
    std::string from, to;
    std::string part{}, socket{};
    QJsonValue fixed{};
    ComfyConversion convert{};
    ComfyTest when{};  // applies where this holds; empty: always
};

ComfyRule link(std::string from, std::string to);
ComfyRule value(std::string from, std::string to = {}, ComfyConversion convert = {});
ComfyRule fixed(std::string to, QJsonValue value);
ComfyRule out(std::string from, std::string to);
ComfyRule fold(std::string from);
ComfyRule wire(std::string part, std::string socket, std::string to);
ComfyRule text(std::string from, std::string to, std::string socket);  // a prompt: a value, or a link
ComfyRule above(std::string from, std::string type, std::string value, std::string to, ComfyConversion convert);
ComfyRule when(ComfyTest test, ComfyRule rule);

// One Heddle node. Parts after the first fall away where nothing reads them and they do nothing else.
struct ComfyPart {
    std::string type;  // "vae.decode"; empty: no node, the rules belong to the class that reads it
    std::string name;  // what its id begins with
    std::vector<ComfyRule> rules;
    ComfyTest when{};
};

struct ComfyClass {
    std::string name;
    std::string inputs;
    std::string outputs;             // names, separated by spaces
    std::vector<ComfyPart> parts{};  // none and no `passes`: known by its sockets alone, it has no counterpart
    // Outputs that are inputs: what is read from the first comes from the second.
    std::vector<std::pair<std::string, std::string>> passes{};
    // The class changes what the sampler is told, Heddle's node the model: its last output becomes the sampler's model,
    // and its input "model" what the sampler had.
    bool model_side = false;
    std::string constant{};  // the input whose value its output is
    // Why these values have no counterpart; empty: they have one.
    std::function<std::string(const ComfyValues&)> refuse{};
    std::string note{};    // what differs, for the docs page; empty: nothing that is known. Of a class without a counterpart: why
    bool told = false;     // the report says so too, because the picture may be another one
    bool exported = true;  // may be written when a Heddle document is exported

    std::vector<ComfyField> fields{};         // of `inputs`, filled in by comfy_classes()
    std::vector<std::string> output_names{};  // of `outputs`

    bool mapped() const { return !parts.empty() || !passes.empty() || !constant.empty(); }
    bool folded() const { return !parts.empty() && parts.front().type.empty(); }
    const ComfyField* field(const std::string& input) const;
};

// By name, sorted. Built once; safe to read from any thread.
const std::map<std::string, ComfyClass>& comfy_classes();
const ComfyClass* find_comfy_class(const std::string& name);

// The pieces of the table, each in a file of its own.
std::vector<ComfyClass> comfy_classes_load();
std::vector<ComfyClass> comfy_classes_conditioning();
std::vector<ComfyClass> comfy_classes_latent();
std::vector<ComfyClass> comfy_classes_sampling();
std::vector<ComfyClass> comfy_classes_model();
std::vector<ComfyClass> comfy_classes_image();
std::vector<ComfyClass> comfy_classes_video();
std::vector<ComfyClass> comfy_classes_others();  // without a counterpart: their sockets alone

}  // namespace nodes
