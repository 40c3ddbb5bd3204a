module vigil/tools/peers/goiforest

go 1.26.0
