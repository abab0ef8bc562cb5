module zoo/chat

go 1.21
