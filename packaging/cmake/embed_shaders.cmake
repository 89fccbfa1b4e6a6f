# cmake -DOUT=FILE -DROOT=DIR -DSHADERS=a.comp;common/b.glsl -P embed_shaders.cmake
set(text "#include \"gpu/vulkan/shader_text.h\"\n\nnamespace gpu {\n\nconst std::vector<ShaderText>& embedded_shaders() {\n    static const std::vector<ShaderText> list = {\n")
foreach(shader IN LISTS SHADERS)
    file(READ ${ROOT}/${shader} source)
    string(APPEND text "        {\"${shader}\", R\"glsl(${source})glsl\"},\n")
endforeach()
string(APPEND text "    };\n    return list;\n}\n\n}  // namespace gpu\n")
file(WRITE ${OUT} "${text}")
