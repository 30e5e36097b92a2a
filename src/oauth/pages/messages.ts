import type { Language } from '../../base/http/language.js';

/** Every sentence of the pages. `{name}` stands for a value. */
export const MESSAGES = {
  'sign-in.title': { en: 'Sign in', 'zh-CN': '登录' },
  'sign-in.to': { en: 'to continue to {client}', 'zh-CN': '以继续使用 {client}' },
  'sign-in.to-device': { en: 'to connect your device', 'zh-CN': '以连接您的设备' },
  'sign-in.username': { en: 'Username', 'zh-CN': '用户名' },
  'sign-in.password': { en: 'Password', 'zh-CN': '密码' },
  'sign-in.submit': { en: 'Sign in', 'zh-CN': '登录' },
  'consent.title': { en: 'Allow access?', 'zh-CN': '是否允许访问？' },
  'consent.intro': { en: '{client} would like to:', 'zh-CN': '{client} 请求以下权限：' },
  'consent.destination': { en: 'You will be taken to {host}.', 'zh-CN': '您将被带往 {host}。' },
  'consent.allow': { en: 'Allow', 'zh-CN': '允许' },
  'consent.deny': { en: 'Deny', 'zh-CN': '拒绝' },
  'account.signed-in-as': { en: 'Signed in as {username}', 'zh-CN': '当前账号：{username}' },
  'account.switch': { en: 'Use another account', 'zh-CN': '使用其他账号' },
  'account.sign-out': { en: 'Sign out', 'zh-CN': '退出登录' },
  'scope.openid': { en: 'Know who you are', 'zh-CN': '确认您的身份' },
  'scope.profile': { en: 'See your name and profile', 'zh-CN': '查看您的姓名和个人资料' },
  'scope.email': { en: 'See your e-mail address', 'zh-CN': '查看您的邮箱地址' },
  'scope.phone': { en: 'See your phone number', 'zh-CN': '查看您的手机号' },
  'scope.address': { en: 'See your address', 'zh-CN': '查看您的地址' },
  'scope.offline_access': { en: 'Stay connected while you are away', 'zh-CN': '在您离开时保持连接' },
  'scope.other': { en: 'Use: {scope}', 'zh-CN': '使用权限：{scope}' },
  'device.title': { en: 'Connect a device', 'zh-CN': '连接设备' },
  'device.intro': { en: 'Enter the code that your device shows.', 'zh-CN': '请输入设备上显示的代码。' },
  'device.prefilled': {
    en: 'Is this the code that your device shows? If you have no such device at hand, close this page.',
    'zh-CN': '这是您设备上显示的代码吗？如果您手边没有该设备，请关闭此页面。',
  },
  'device.code': { en: 'Code', 'zh-CN': '代码' },
  'device.submit': { en: 'Continue', 'zh-CN': '继续' },
  'device-confirm.title': { en: 'Connect this device?', 'zh-CN': '是否连接此设备？' },
  'device-confirm.intro': { en: '{client} on your device would like to:', 'zh-CN': '设备上的 {client} 请求以下权限：' },
  'device-confirm.warning': {
    en: 'Go on only if the device is yours, in front of you, and shows this code.',
    'zh-CN': '仅当设备属于您、就在您面前并显示此代码时才继续。',
  },
  'device-confirm.allow': { en: 'Connect', 'zh-CN': '连接' },
  'device-confirm.deny': { en: 'Deny', 'zh-CN': '拒绝' },
  'device-done.allowed': { en: 'Device connected', 'zh-CN': '设备已连接' },
  'device-done.allowed-text': {
    en: 'You can go on with it now, and close this page.',
    'zh-CN': '您现在可以返回设备继续操作，并关闭此页面。',
  },
  'device-done.denied': { en: 'Device not connected', 'zh-CN': '设备未连接' },
  'device-done.denied-text': {
    en: 'It got no access. You can close this page.',
    'zh-CN': '该设备未获得访问权限。您可以关闭此页面。',
  },
  'sign-out.title': { en: 'Sign out?', 'zh-CN': '是否退出登录？' },
  'sign-out.text': {
    en: 'This signs {username} out in this browser, and out of the apps that were opened from it.',
    'zh-CN': '这将在此浏览器中退出账号 {username}，并退出由此打开的应用。',
  },
  'sign-out.submit': { en: 'Sign out', 'zh-CN': '退出登录' },
  'signed-out.title': { en: 'You are signed out', 'zh-CN': '您已退出登录' },
  'signed-out.text': { en: 'You can close this page.', 'zh-CN': '您可以关闭此页面。' },
  'form-post.title': { en: 'One moment', 'zh-CN': '请稍候' },
  'form-post.text': { en: 'Taking you back to {client}.', 'zh-CN': '正在返回 {client}。' },
  'form-post.submit': { en: 'Continue', 'zh-CN': '继续' },
  'error.title': { en: 'This did not work', 'zh-CN': '操作未完成' },
  'error.request-id': { en: 'Request', 'zh-CN': '请求编号' },
} satisfies Record<string, Record<Language, string>>;

export type Message = keyof typeof MESSAGES;

/** A sentence in a language, with its values put in. They are text: the template escapes what comes out of here. */
export function say(language: Language, message: Message, values: Record<string, string> = {}): string {
  return MESSAGES[message][language].replace(/\{([a-z]+)\}/g, (_, name: string) => values[name] ?? '');
}

/** What a scope lets a client do, in words. */
export function sayScope(language: Language, scope: string): string {
  const message = `scope.${scope}`;
  return Object.hasOwn(MESSAGES, message) ? say(language, message as Message) : say(language, 'scope.other', { scope });
}
