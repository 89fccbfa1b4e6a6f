namespace nodes {}
