# Code that the build writes from the files it finds, so that nobody keeps lists by hand.

# Collects MACRO(stem, ...) lines of the given sources and writes a function that calls register_<stem>() in name order.
# (Static initialisers would do the same until a linker drops one.)
function(heddle_generate_registry library macro out)
    set(stems "")
    foreach(source IN LISTS ARGN)
        file(STRINGS ${source} lines REGEX "^${macro}\\(")
        foreach(line IN LISTS lines)
            if(NOT line MATCHES "^${macro}\\([a-z0-9_]+")
                message(FATAL_ERROR "${source}: expected ${macro}(stem on one line, got ${line}")
            endif()
            string(REGEX REPLACE "^${macro}\\(([a-z0-9_]+).*" "\\1" stem "${line}")
            list(APPEND stems ${stem})
        endforeach()
    endforeach()
    list(SORT stems)
    set(declarations "")
    set(calls "")
    foreach(stem IN LISTS stems)
        string(APPEND declarations "void register_${stem}();\n")
        string(APPEND calls "    register_${stem}();\n")
    endforeach()
    set(path ${CMAKE_BINARY_DIR}/generated/${library}_registry.gen.cpp)
    file(CONFIGURE OUTPUT ${path} CONTENT "namespace ${library} {\n${declarations}\nvoid register_all() {\n${calls}}\n\n}  // namespace ${library}\n" @ONLY)
    set(${out} ${path} PARENT_SCOPE)
endfunction()

# A source file that defines heddle_build_stamp, a hash of what the given libraries hold.
function(heddle_build_stamp out)
    set(archives "")
    foreach(library IN LISTS ARGN)
        list(APPEND archives $<TARGET_FILE:${library}>)
    endforeach()
    set(path ${CMAKE_BINARY_DIR}/generated/build_stamp.gen.cpp)
    add_custom_command(OUTPUT ${path} COMMAND ${CMAKE_COMMAND} -DOUT=${path} "-DARCHIVES=${archives}"
                       -P ${CMAKE_SOURCE_DIR}/packaging/cmake/build_stamp.cmake
                       DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/packaging/cmake/build_stamp.cmake VERBATIM)
    set(${out} ${path} PARENT_SCOPE)
endfunction()

# Embeds shaders/**/*.{comp,glsl} as text; the runtime compiles what it needs and caches the SPIR-V by content.
function(heddle_embed_shaders out)
    file(GLOB_RECURSE shaders CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/shaders ${CMAKE_SOURCE_DIR}/shaders/*.comp
         ${CMAKE_SOURCE_DIR}/shaders/*.glsl)
    set(depends "")
    foreach(shader IN LISTS shaders)
        list(APPEND depends ${CMAKE_SOURCE_DIR}/shaders/${shader})
    endforeach()
    set(path ${CMAKE_BINARY_DIR}/generated/shaders.gen.cpp)
    add_custom_command(OUTPUT ${path}
        COMMAND ${CMAKE_COMMAND} -DOUT=${path} -DROOT=${CMAKE_SOURCE_DIR}/shaders "-DSHADERS=${shaders}"
                -P ${CMAKE_SOURCE_DIR}/packaging/cmake/embed_shaders.cmake
        DEPENDS ${depends} ${CMAKE_SOURCE_DIR}/packaging/cmake/embed_shaders.cmake VERBATIM)
    set(${out} ${path} PARENT_SCOPE)
endfunction()

# Runs moc over a target. With Ninja, CMake (3.25 at least) overlooks a source that joins a target built before, and its
# .moc is then missing: forget the time of the last run where the list has changed.
function(heddle_automoc target)
    set_target_properties(${target} PROPERTIES AUTOMOC ON)
    get_target_property(sources ${target} SOURCES)
    if(NOT "${sources}" STREQUAL "${HEDDLE_SOURCES_${target}}")
        file(REMOVE ${CMAKE_CURRENT_BINARY_DIR}/${target}_autogen/timestamp)
        set(HEDDLE_SOURCES_${target} "${sources}" CACHE INTERNAL "Sources of ${target} when moc was last set up")
    endif()
endfunction()

# Compiles resources/translations/*.ts into the target, as :/translations/*.qm. Without lrelease (qt6-l10n-tools) the
# program speaks English only.
function(heddle_translations target)
    find_program(HEDDLE_LRELEASE NAMES lrelease lrelease-qt6 HINTS /usr/lib/qt6/bin)
    if(NOT HEDDLE_LRELEASE)
        message(STATUS "lrelease not found: no translations")
        return()
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/resources/translations/*.ts)
    set(compiled "")
    foreach(source IN LISTS sources)
        get_filename_component(stem ${source} NAME_WE)
        set(qm ${CMAKE_BINARY_DIR}/translations/${stem}.qm)
        add_custom_command(OUTPUT ${qm} COMMAND ${HEDDLE_LRELEASE} -silent ${source} -qm ${qm} DEPENDS ${source} VERBATIM)
        list(APPEND compiled ${qm})
    endforeach()
    qt_add_resources(${target} translations PREFIX /translations BASE ${CMAKE_BINARY_DIR}/translations FILES ${compiled})
endfunction()
