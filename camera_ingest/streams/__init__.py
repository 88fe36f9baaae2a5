"""Ways to a camera: RTSP, HLS, HTTP pictures and files, each as packets or pictures."""
