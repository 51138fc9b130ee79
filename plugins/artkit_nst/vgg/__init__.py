"""The engine `vgg`: a picture optimised until features of VGG-19 say that it has the photo's content and the style."""
