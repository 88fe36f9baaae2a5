import './app.css';
import './desk.css';
import { mount } from 'svelte';
import App from './components/App.svelte';
import { Api } from './lib/api';
import { Desk } from './lib/desk.svelte';

const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
const desk = new Desk(new Api(), `${scheme}://${location.host}/ws/v1/feed`);
const target = document.getElementById('console');
if (target === null) throw new Error('index.html has no element #console');
mount(App, { target, props: { desk } });
