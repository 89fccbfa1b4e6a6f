// Parts of the program that are loaded when a file needs them, because the libraries that they bring along cost
// start-up time.
#pragma once

namespace nodes {

// A module by its name, "heddle-oiio": beside the program as it is built, or in its library folder as it is installed.
// Never unloaded.
class Module {
public:
    // Throws Error{Failure} that says what was looked for when it is not there or can not be loaded.
    explicit Module(const char* name);

    // A function of that name, which must be there: Error{Failure}.
    template <typename Function>
    Function* function(const char* name) const {
        return reinterpret_cast<Function*>(symbol(name));
    }

private:
    void* symbol(const char* name) const;

    const char* name_;
    void* library_ = nullptr;
};

}  // namespace nodes
