package alertmanager

// AnnotationName is annotationName.
var AnnotationName = annotationName
